import type { Batch } from '../../src/batch/batch.ts'
import { cellValue } from '../../src/batch/cell.ts'
import type { EncodedRecords } from '../../src/batch/encoded-records.ts'
import type { Decoder, DecoderOptions } from '../../src/batch/json-decoder.ts'
import { createScalarDecoder } from '../../src/batch/scalar-decoder.ts'
import {
  boolean,
  decimal,
  defineSchema,
  float64,
  int32,
  int64,
  json,
  type Schema,
  text,
  timestamp,
  uuid,
} from '../../src/batch/schema.ts'
import { createWasmDecoder } from '../../src/batch/wasm-decoder.ts'
import { DECODER_MODULE } from './decoder-module.ts'
import { createOracleDecoder } from './json-oracle.ts'

/** Every implementation of the decoder's contract. */
export const DECODERS: readonly { readonly name: string; create(options: DecoderOptions): Decoder }[] = [
  { name: 'scalar', create: createScalarDecoder },
  { name: 'wasm', create: (options) => createWasmDecoder(options, DECODER_MODULE) },
  { name: 'oracle', create: createOracleDecoder },
]

/** A field of every type, short names for fuzzing; `other` is known to the schema but not selected. */
export const EVERY_TYPE: Schema = defineSchema({
  s: text(),
  u: text({ cardinality: 'unique' }),
  id: uuid(),
  t: timestamp(),
  z: timestamp({ timeZone: 'Europe/Paris' }),
  ms: timestamp({ format: 'epoch-ms', orRecordTime: true }),
  sec: timestamp({ format: 'epoch-s' }),
  d: decimal(2),
  f: float64(),
  l: int64(),
  i: int32(),
  b: boolean(),
  j: json({ from: 'raw' }),
  rest: json({ rest: true }),
})

/** Options over all fields of a schema. */
export function decoderOptions(schema: Schema, changes: Partial<DecoderOptions> = {}): DecoderOptions {
  const known = schema.fields.map((field) => field.from ?? field.name)
  return {
    fields: schema.fields,
    knownMembers: new Set([...known, 'other']),
    hashSeed: 20_261_124,
    dictionaryEntriesMax: 1_000,
    ...changes,
  }
}

export function newlineRecords(bytes: Uint8Array, baseOffset = 0): EncodedRecords {
  const recordCount = bytes.filter((byte) => byte === 10).length + 1
  const endOffset = baseOffset + recordCount
  return { framing: 'newline', bytes, baseOffset, endOffset, recordCount, baseTimestamp: Number.NaN }
}

/** Record batch contents; a value of null is a Kafka null. Offsets go up by one, timestamps by 10 ms. */
export function kafkaRecords(values: readonly (Uint8Array | null)[], baseOffset = 0): EncodedRecords {
  const parts: Uint8Array[] = []
  for (const [index, value] of values.entries()) {
    const key = index % 3 === 0 ? null : Buffer.from(`key ${index}`)
    const headers =
      index % 4 === 1 ? Buffer.concat([varint(1), sized(Buffer.from('h')), sized(Buffer.from('\n{"'))]) : varint(0)
    const body = Buffer.concat([Buffer.of(0), varint(10 * index), varint(index), sized(key), sized(value), headers])
    parts.push(varint(body.length), body)
  }
  return {
    framing: 'records',
    bytes: Buffer.concat(parts),
    baseOffset,
    endOffset: baseOffset + values.length,
    recordCount: values.length,
    baseTimestamp: Date.UTC(2026, 10, 24),
  }
}

function sized(bytes: Uint8Array | null): Uint8Array {
  return bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes])
}

/** A zigzag varint. */
export function varint(value: number): Uint8Array {
  let rest = value < 0 ? -2 * value - 1 : 2 * value
  const bytes: number[] = []
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Buffer.of(...bytes, rest)
}

/** A row of a batch in a form that can be compared. */
export interface ReadRow {
  readonly status: number
  readonly error: number
  readonly errorField: number
  readonly offset: number
  readonly recordTimeMs: number
  readonly value: string
  readonly cells: Record<string, string | number | boolean | null>
}

export function readRows(batch: Batch): ReadRow[] {
  return Array.from({ length: batch.rowCount }, (_, row) => {
    const start = batch.valueStarts[row]
    return {
      status: batch.status[row],
      error: batch.error[row],
      errorField: batch.errorField[row],
      offset: batch.offsets[row],
      recordTimeMs: batch.recordTimes[row],
      value: Buffer.from(batch.bytes.subarray(start, start + batch.valueLengths[row])).toString('latin1'),
      cells: Object.fromEntries(batch.fields.map((field, index) => [field.name, cell(batch, index, row)])),
    }
  })
}

/** Units instead of decimals, so that nothing is hidden by rounding. */
function cell(batch: Batch, index: number, row: number): string | number | boolean | null {
  const column = batch.columns[index]
  if (column.kind === 'number') return Number.isNaN(column.values[row]) ? null : column.values[row]
  return cellValue(column, batch.fields[index], row)
}

/** The fields that are not null. */
export function cellsOf(row: ReadRow | undefined): Record<string, string | number | boolean | null> {
  return Object.fromEntries(Object.entries(row?.cells ?? {}).filter(([, value]) => value !== null))
}
