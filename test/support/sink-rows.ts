import { encodeText } from '../../src/base/bytes.ts'
import type { ResultBatch } from '../../src/batch/result-batch.ts'
import { createScalarDecoder } from '../../src/batch/scalar-decoder.ts'
import { decimal, defineSchema, type Field, int64, type Schema, text, timestamp } from '../../src/batch/schema.ts'

/** A result row as tests of sinks write it: a group of the window that begins at 1970. */
export interface SinkRow {
  readonly page: string | null
  readonly views: number
}

const SCHEMA: Schema = defineSchema({
  window_start: timestamp({ format: 'epoch-ms' }),
  window_end: timestamp({ format: 'epoch-ms' }),
  page: text(),
  views: int64(),
  revenue: decimal(2),
})

/** Columns of the results that tests hand to sinks. */
export const SINK_FIELDS: readonly Field[] = SCHEMA.fields

/** Columns that identify such a row. */
export const SINK_KEYS: readonly string[] = ['window_start', 'window_end', 'page']

/** The rows as an engine gives them. */
export function sinkBatch(rows: readonly SinkRow[]): ResultBatch {
  const decoder = createScalarDecoder({
    fields: SCHEMA.fields,
    knownMembers: new Set(),
    hashSeed: 1,
    dictionaryEntriesMax: 1_000,
  })
  const lines = rows.map(({ page, views }) => {
    return `${JSON.stringify({ window_start: 0, window_end: 60_000, page, views, revenue: views / 4 })}\n`
  })
  const { fields, columns, rowCount } = decoder.decode({
    framing: 'newline',
    bytes: encodeText(lines.join('')),
    baseOffset: 0,
    endOffset: rows.length,
    recordCount: rows.length,
    baseTimestamp: Number.NaN,
  })
  return { fields, columns, rowCount }
}

/** A row as text, to compare what readers see with what was written. */
export function rowText(page: string | null, views: number | bigint): string {
  return JSON.stringify([page, Number(views)])
}
