import {
  type ColumnName,
  count,
  defineSchema,
  type FieldSpecs,
  type GroupedStream,
  logSource,
  type Query,
  type Rule,
  type Stream,
  stream,
  text,
  timestamp,
  tumbling,
  type WatermarkOptions,
} from '../../../src/index.ts'

type Visits = { readonly at: FieldSpecs[string]; readonly page: FieldSpecs[string] }

/** Visits of pages, the input of most timelines: event time, then the page. */
export function visits(options: { readonly rules?: readonly Rule[] } = {}): Stream<Visits> {
  const schema = defineSchema<Visits>({ at: timestamp({ format: 'epoch-ms' }), page: text() })
  return stream(logSource('visits'), schema, options)
}

/** Visits per page and minute. */
export function perMinute(delay: string, options: WatermarkOptions = {}, by: ColumnName<Visits>[] = ['page']): Query {
  return minutes(
    visits()
      .withWatermark('at', delay, options)
      .groupBy(...by),
  )
}

/** Counts the rows of each group and minute. */
export function minutes(rows: GroupedStream<Visits>): Query {
  return rows.window(tumbling('1 minute')).aggregate({ views: count() })
}
