import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Batch } from './batch.ts'
import { type CsvOptions, encodeCsvHeader, encodeCsvRows } from './csv-encoder.ts'
import { createScalarDecoder } from './scalar-decoder.ts'
import { boolean, decimal, defineSchema, float64, int32, json, type Schema, text, timestamp, uuid } from './schema.ts'

function decoded(schema: Schema, rows: readonly unknown[]): Batch {
  const decoder = createScalarDecoder({
    fields: schema.fields,
    knownMembers: new Set(),
    hashSeed: 1,
    dictionaryEntriesMax: 99,
  })
  const bytes = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))
  return decoder.decode({
    framing: 'newline',
    bytes,
    baseOffset: 0,
    endOffset: 99,
    recordCount: 99,
    baseTimestamp: Number.NaN,
  })
}

function encoded(batch: Batch, options?: CsvOptions): string {
  return Buffer.from(encodeCsvRows(batch, undefined, options)).toString()
}

/** RFC 4180, cell by cell; an empty cell without quotes is null. */
function parseCsv(text: string): (string | null)[][] {
  return (
    text.match(/(?:"(?:[^"]|"")*"|[^"\n])*\n/g)?.map((line) => {
      const cells = line.slice(0, -1).match(/(?:^|,)("(?:[^"]|"")*"|[^",]*)/g) ?? []
      return cells.map((cell, index) => {
        const raw = index === 0 && !cell.startsWith(',') ? cell : cell.slice(1)
        return raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw === '' ? null : raw
      })
    }) ?? []
  )
}

test('tells null from the empty string, and writes values as JSON does but without quotes', () => {
  const schema = defineSchema({
    s: text(),
    id: uuid(),
    t: timestamp(),
    d: decimal(2),
    f: float64(),
    i: int32(),
    b: boolean(),
    j: json(),
  })
  const rows = [
    {
      s: 'a',
      id: '0123abcd-ef45-6789-abcd-ef0123456789',
      t: '2026-11-24T10:00:00Z',
      d: -1.5,
      f: -0.25,
      i: -7,
      b: true,
      j: { x: [1, 'y'] },
    },
    { s: '', b: false },
    {},
  ]
  assert.equal(
    encoded(decoded(schema, rows)),
    'a,0123abcd-ef45-6789-abcd-ef0123456789,2026-11-24T10:00:00.000Z,-1.50,-0.25,-7,true,"{""x"":[1,""y""]}"\n"",,,,,,false,\n,,,,,,,\n',
  )
  assert.equal(Buffer.from(encodeCsvHeader(schema.fields)).toString(), 's,id,t,d,f,i,b,j\n')
})

test('every text comes back from a reader of RFC 4180', () => {
  const schema = defineSchema({ s: text(), u: text({ cardinality: 'unique' }) })
  const texts = [
    '',
    ' ',
    ',',
    '"',
    '""',
    '\n',
    '\r\n',
    'a"b',
    'a,b\n"c"',
    "'",
    'é\u{1f600}',
    '\0',
    'x'.repeat(100),
    `${'"'.repeat(80)},`,
  ]
  const rows = texts.map((one) => ({ s: one, u: one }))
  assert.deepEqual(
    parseCsv(encoded(decoded(schema, rows), { formulaGuard: false })),
    texts.map((one) => [one, one]),
  )
})

test('no text is a formula for a spreadsheet, unless the guard is off', () => {
  const schema = defineSchema({ s: text(), u: text({ cardinality: 'unique' }), j: json() })
  const starts = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '=HYPERLINK("http://x")']
  const batch = decoded(
    schema,
    starts.map((one) => ({ s: one, u: one, j: -1 })),
  )
  assert.deepEqual(
    parseCsv(encoded(batch)),
    starts.map((one) => [`'${one}`, `'${one}`, "'-1"]),
  )
  assert.deepEqual(
    parseCsv(encoded(batch, { formulaGuard: false })),
    starts.map((one) => [one, one, '-1']),
  )
  assert.deepEqual(parseCsv(encoded(decoded(schema, [{ s: 'a=1', u: "'=1" }]))), [['a=1', "'=1", null]])
})

test('writes infinite doubles by name', () => {
  const columns = [{ kind: 'number', values: Float64Array.of(Infinity, -Infinity, Number.NaN) }] as const
  const out = encodeCsvRows({ fields: defineSchema({ f: float64() }).fields, columns, rowCount: 3 })
  assert.equal(Buffer.from(out).toString(), 'Infinity\n-Infinity\n\n')
})

test('writes the rows of a list only', () => {
  const batch = decoded(defineSchema({ i: int32() }), [{ i: 1 }, { i: 2 }, { i: 3 }])
  assert.equal(Buffer.from(encodeCsvRows(batch, { rows: Int32Array.of(2, 1, 0), count: 2 })).toString(), '3\n2\n')
})
