import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../base/random.ts'
import type { Batch } from './batch.ts'
import { BOOLEAN_NULL } from './column.ts'
import { encodeJsonRows, writeJsonRows } from './json-encoder.ts'
import { createScalarDecoder } from './scalar-decoder.ts'
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
} from './schema.ts'
import { TextBuffer } from './text-buffer.ts'

const SCHEMA = defineSchema({
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

function decoded(schema: Schema, lines: string, framing: 'newline' | 'records' = 'newline'): Batch {
  const decoder = createScalarDecoder({
    fields: schema.fields,
    knownMembers: new Set(),
    hashSeed: 1,
    dictionaryEntriesMax: 9_999,
  })
  const bytes = Buffer.from(lines)
  return decoder.decode({ framing, bytes, baseOffset: 0, endOffset: 99, recordCount: 99, baseTimestamp: Number.NaN })
}

function encoded(batch: Batch): string {
  return Buffer.from(encodeJsonRows(batch)).toString()
}

test('writes what was read: the canonical form of a row comes back as it was', () => {
  const lines = [
    '{"s":"a","u":"é\\"\\\\","id":"0123abcd-ef45-6789-abcd-ef0123456789","t":"2026-11-24T10:00:00.007Z","d":-0.05,"f":0.1,"l":-9007199254740992,"i":-2147483648,"b":true,"j":{"x" : [1.50]}}\n',
    '{"s":"","u":"\\u0000\\u001f\\b\\f\\n\\r\\t\u007f\u2028\u{1f600}","id":null,"t":"1970-01-01T00:00:00.000Z","d":90071992547409.92,"f":1e+21,"l":9007199254740992,"i":2147483647,"b":false,"j":"x"}\n',
    '{"s":null,"u":null,"id":null,"t":null,"d":null,"f":null,"l":null,"i":null,"b":null,"j":null}\n',
    '{"s":"a","u":"","id":null,"t":"2200-12-31T23:59:59.999Z","d":12.00,"f":5e-324,"l":0,"i":0,"b":null,"j":-1.0e0}\n',
    '{"s":"/","u":"</script>","id":null,"t":null,"d":0.00,"f":-123456.789,"l":1,"i":9,"b":null,"j":[]}\n',
  ]
  assert.equal(encoded(decoded(SCHEMA, lines.join(''))), lines.join(''))
})

test('each line is JSON that means the same as the row, whatever the text holds', () => {
  const schema = defineSchema({ s: text(), u: text({ cardinality: 'unique' }) })
  const texts = Array.from(
    { length: 300 },
    (_, index) => `${String.fromCodePoint(index)}${'x'.repeat(index % 70)}${String.fromCodePoint(0xfffd - index)}`,
  )
  const lines = texts.map((one) => JSON.stringify({ s: one, u: one }))
  const out = encoded(decoded(schema, lines.join('\n'))).split('\n')
  assert.deepEqual(
    out.slice(0, -1).map((line) => JSON.parse(line)),
    texts.map((one) => ({ s: one, u: one })),
  )
  assert.equal(out.at(-1), '')
})

test('any mixture of what is and is not escaped is written as JSON.stringify writes it, in many rows of growing size', () => {
  const random = new Random(7)
  const schema = defineSchema({ s: text(), u: text({ cardinality: 'unique' }), i: int32() })
  const characters = ['"', '\\', '\n', '\x1f', ' ', '!', '#', '[', ']', '\x7f', 'é', '\u{1f600}', 'a', 'b']
  const lines = Array.from({ length: 2_000 }, (_, index) => {
    const one = Array.from({ length: random.below(8 + index / 50) }, () => random.pick(characters)).join('')
    return JSON.stringify({ s: one, u: one, i: index % 3 === 0 ? null : random.uint32() | 0 })
  })
  const batch = decoded(schema, `${lines.join('\n')}\n`)
  assert.equal(encoded(batch), `${lines.join('\n')}\n`)

  const out = new TextBuffer(1)
  const backwards = Int32Array.from(lines, (_, index) => lines.length - 1 - index)
  writeJsonRows(out, batch, { rows: backwards, count: 1_999 })
  const expected = lines.slice(1).toReversed()
  assert.equal(Buffer.from(out.view()).toString(), `${expected.join('\n')}\n`)
})

test('a buffer grows in the middle of a row, whatever kind of cell it is', () => {
  const row = { s: 'x'.repeat(50), t: 'y'.repeat(90), u: 'z'.repeat(70), i: 7 }
  const batch = decoded(
    defineSchema({ s: text(), t: text(), u: text({ cardinality: 'unique' }), i: int32() }),
    JSON.stringify(row),
  )
  for (let capacity = 0; capacity < 300; capacity++) {
    const out = new TextBuffer(capacity)
    writeJsonRows(out, batch)
    assert.equal(Buffer.from(out.view()).toString(), `${JSON.stringify(row)}\n`)
  }
})

test('a JSON value that was written over several lines stays on one', () => {
  const schema = defineSchema({ j: json() })
  const batch = decoded(schema, '{"j":[1]}')
  const [column] = batch.columns
  assert.equal(column?.kind, 'string')
  const data = Buffer.from('{\r\n"a\\n":\n1}')
  const rows = {
    ...batch,
    columns: [{ ...column, data, starts: Int32Array.of(0), lengths: Int32Array.of(data.length) }],
  }
  assert.equal(encoded(rows), '{"j":{  "a\\n": 1}}\n')
})

test('has no infinity and no minus zero', () => {
  const [f] = defineSchema({ f: float64() }).fields
  const values = Float64Array.of(Infinity, -Infinity, -0, Number.NaN, 1e300)
  assert.ok(f !== undefined)
  const out = encodeJsonRows({ fields: [f], columns: [{ kind: 'number', values }], rowCount: 5 })
  assert.equal(Buffer.from(out).toString(), '{"f":null}\n{"f":null}\n{"f":0}\n{"f":null}\n{"f":1e+300}\n')
})

test('writes the rows of a list in its order, behind what the buffer holds', () => {
  const batch = decoded(defineSchema({ s: text(), i: int32() }), '{"s":"a","i":1}\n{"s":"b","i":2}\n{"s":"c","i":3}')
  const out = new TextBuffer(4)
  writeJsonRows(out, batch, { rows: Int32Array.of(2, 0, 1), count: 2 })
  writeJsonRows(out, batch, { rows: Int32Array.of(1), count: 1 })
  assert.equal(Buffer.from(out.view()).toString(), '{"s":"c","i":3}\n{"s":"a","i":1}\n{"s":"b","i":2}\n')
})

test('times far away, and values of computed columns, are written exactly', () => {
  const schema = defineSchema({ t: timestamp(), d: decimal(6), b: boolean() })
  const columns = [
    {
      kind: 'number',
      values: Float64Array.of(
        -1,
        Date.UTC(-1, 0),
        Infinity,
        Date.UTC(10_000, 0),
        Date.UTC(2026, 1, 28, 23, 59, 59, 999),
      ),
    },
    { kind: 'number', values: Float64Array.of(-1, 1, 2_147_483_647, -2_147_483_649, 9_007_199_254_740_991) },
    { kind: 'boolean', values: Uint8Array.of(0, 1, BOOLEAN_NULL, 1, 0) },
  ] as const
  const out = Buffer.from(encodeJsonRows({ fields: schema.fields, columns, rowCount: 5 }))
    .toString()
    .split('\n')
  assert.deepEqual(out, [
    '{"t":"1969-12-31T23:59:59.999Z","d":-0.000001,"b":false}',
    '{"t":"-000001-01-01T00:00:00.000Z","d":0.000001,"b":true}',
    '{"t":"infinity","d":2147.483647,"b":null}',
    '{"t":"+010000-01-01T00:00:00.000Z","d":-2147.483649,"b":true}',
    '{"t":"2026-02-28T23:59:59.999Z","d":9007199254.740991,"b":false}',
    '',
  ])
})
