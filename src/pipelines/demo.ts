import {
  approxCountDistinct,
  clickEvent,
  clickEventRules,
  col,
  count,
  duckdb,
  eq,
  logSource,
  type Pipeline,
  parquet,
  pipeline,
  postgres,
  type SinkSpec,
  stream,
  sum,
  tumbling,
} from '../index.ts'

/** What `millrace demo` runs: page and country metrics of short windows, so that results come while one is watching; into files and the result store, and PostgreSQL on request. */
export function demoPipeline(topic: string, outputFolder: string, options: { postgres: boolean }): Pipeline {
  const events = stream(logSource(topic), clickEvent, { rules: clickEventRules }).withWatermark('event_time', '2s')
  const purchases = eq(col('event_type'), 'purchase')
  const pages = events
    .groupBy('page_url')
    .window(tumbling('10s'))
    .aggregate({
      events: count(),
      pageviews: count().where(eq(col('event_type'), 'page_view')),
      users: approxCountDistinct('user_id'),
      purchases: count().where(purchases),
      revenue: sum('amount').where(purchases),
    })
  const countries = events
    .groupBy('country')
    .window(tumbling('10s'))
    .aggregate({ events: count(), users: approxCountDistinct('user_id') })
  const sinks = (name: string): SinkSpec[] => [
    parquet(`${outputFolder}/${name}`),
    duckdb(name),
    ...(options.postgres ? [postgres(name, { mode: 'update' })] : []),
  ]
  return pipeline('demo')
    .query('page_metrics', pages, sinks('page_metrics'))
    .query('geo_metrics', countries, sinks('geo_metrics'))
}
