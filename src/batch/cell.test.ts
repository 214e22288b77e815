import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cellText, cellValue } from './cell.ts'
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

test('gives the values of a row for programs and for people', () => {
  const id = '0123abcd-ef45-6789-abcd-ef0123456789'
  const row = {
    s: '\ufeffa',
    u: 'é',
    id,
    t: '2026-11-24T10:00:00Z',
    d: 1.1,
    f: -0.5,
    l: 2 ** 53,
    i: 3,
    b: false,
    j: [1],
  }
  const decoder = createScalarDecoder({ fields, knownMembers: new Set(), hashSeed: 1, dictionaryEntriesMax: 9 })
  const bytes = Buffer.from(`${JSON.stringify(row)}\n{}`)
  const batch = decoder.decode({
    framing: 'newline',
    bytes,
    baseOffset: 0,
    endOffset: 2,
    recordCount: 2,
    baseTimestamp: Number.NaN,
  })
  const cells = (number: number): unknown[] =>
    batch.columns.map((column, index) => cellValue(column, fields[index], number))
  const texts = (number: number): string[] =>
    batch.columns.map((column, index) => cellText(column, fields[index], number))
  assert.deepEqual(cells(0), ['\ufeffa', 'é', id, Date.UTC(2026, 10, 24, 10), 1.1, -0.5, 2 ** 53, 3, false, '[1]'])
  assert.deepEqual(texts(0), [
    '\ufeffa',
    'é',
    id,
    '2026-11-24T10:00:00.000Z',
    '1.10',
    '-0.5',
    '9007199254740992',
    '3',
    'false',
    '[1]',
  ])
  assert.deepEqual(cells(1), Array(10).fill(null))
  assert.deepEqual(texts(1), Array(10).fill(''))
})
