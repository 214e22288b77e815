import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Table, tableFromIPC, tableToIPC } from 'apache-arrow'
import { arrowTable } from './arrow.ts'
import type { ColumnRows, RowList } from './encoded-cells.ts'
import { createScalarDecoder } from './scalar-decoder.ts'
import { boolean, decimal, defineSchema, float64, int32, int64, json, text, timestamp, uuid } from './schema.ts'

const { fields } = defineSchema({
  s: text(),
  u: text({ cardinality: 'unique' }),
  id: uuid(),
  t: timestamp(),
  d: decimal(2),
  f: float64(),
  l: int64(),
  i: int32(),
  b: boolean(),
  j: json(),
})

const FULL =
  '{"s":"é","u":"x","id":"0123abcd-ef45-6789-abcd-ef0123456789","t":"2026-11-24T10:00:00.001Z","d":-0.05,"f":0.1,"l":-9007199254740992,"i":-1,"b":true,"j":[1 ]}'
const OTHER = '{"s":"b","u":"","t":"1970-01-01T00:00:00Z","d":90071992547409.92,"f":-0,"l":1,"i":0,"b":false,"j":{}}'

function decoded(...lines: string[]): ColumnRows {
  const decoder = createScalarDecoder({ fields, knownMembers: new Set(), hashSeed: 1, dictionaryEntriesMax: 99 })
  const bytes = Buffer.from(lines.join('\n'))
  return decoder.decode({
    framing: 'newline',
    bytes,
    baseOffset: 0,
    endOffset: 99,
    recordCount: 9,
    baseTimestamp: Number.NaN,
  })
}

function throughIpc(rows: ColumnRows, list?: RowList): Table {
  return tableFromIPC(tableToIPC(arrowTable(rows, list), 'stream'))
}

/** Rows as text: decimals from their four words, times in ms. */
function rowsOf(table: Table): unknown[][] {
  return Array.from({ length: table.numRows }, (_, row) =>
    table.schema.fields.map((_, index) => {
      const value: unknown = table.getChildAt(index)?.get(row)
      if (!(value instanceof Uint32Array)) return value
      const words = [...value].reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n)
      return BigInt.asIntN(128, words)
    }),
  )
}

const FULL_ROW = [
  'é',
  'x',
  '0123abcd-ef45-6789-abcd-ef0123456789',
  Date.UTC(2026, 10, 24, 10, 0, 0, 1),
  -5n,
  0.1,
  -(2n ** 53n),
  -1,
  true,
  '[1 ]',
]
const OTHER_ROW = ['b', '', null, 0, 2n ** 53n, -0, 1n, 0, false, '{}']
const NULL_ROW = Array(10).fill(null)

test('keeps types, values and nulls through the IPC format', () => {
  const table = throughIpc(decoded(FULL, '{}', OTHER, FULL))
  assert.deepEqual(
    table.schema.fields.map((field) => `${field.name}: ${field.type}`),
    [
      's: Dictionary<Int32, Utf8>',
      'u: Utf8',
      'id: Utf8',
      't: Timestamp<MILLISECOND, UTC>',
      'd: Decimal[18e+2]',
      'f: Float64',
      'l: Int64',
      'i: Int32',
      'b: Bool',
      'j: Utf8',
    ],
  )
  assert.deepEqual(rowsOf(table), [FULL_ROW, NULL_ROW, OTHER_ROW, FULL_ROW])
})

test('holds only the rows of a list, and only their values in its dictionaries', () => {
  const lines = Array.from({ length: 40 }, (_, index) => `{"s":"value ${index}"}`)
  const table = arrowTable(decoded(FULL, ...lines, OTHER), { rows: Int32Array.of(41, 0, 41), count: 3 })
  assert.deepEqual(rowsOf(table), [OTHER_ROW, FULL_ROW, OTHER_ROW])
  assert.deepEqual(table.getChildAt(0)?.data[0]?.dictionary?.toArray(), ['b', 'é'])
})

test('can be empty, and can be longer than one byte of validity', () => {
  assert.equal(throughIpc(decoded()).numRows, 0)
  const table = throughIpc(decoded(...Array.from({ length: 20 }, (_, index) => (index % 3 === 0 ? '{}' : FULL))))
  assert.deepEqual(
    rowsOf(table),
    Array.from({ length: 20 }, (_, index) => (index % 3 === 0 ? NULL_ROW : FULL_ROW)),
  )
})

test('does not change when the decoder goes on', () => {
  const decoder = createScalarDecoder({ fields, knownMembers: new Set(), hashSeed: 1, dictionaryEntriesMax: 99 })
  const decode = (line: string): ColumnRows => {
    return decoder.decode({
      framing: 'newline',
      bytes: Buffer.from(line),
      baseOffset: 0,
      endOffset: 1,
      recordCount: 1,
      baseTimestamp: 0,
    })
  }
  const table = arrowTable(decode(FULL))
  decode(OTHER)
  assert.deepEqual(rowsOf(table), [FULL_ROW])
})
