import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { resultRows, type Value } from '../../test/support/result-rows.ts'
import { MillraceError } from '../base/error.ts'
import { cellValue } from './cell.ts'
import type { ResultBatch } from './result-batch.ts'
import { decodeRows, encodeRows } from './result-codec.ts'
import type { Field } from './schema.ts'

const FIELDS: readonly Field[] = [
  { name: 'text', type: 'string', required: false },
  { name: 'id', type: 'uuid', required: false },
  { name: 'at', type: 'timestamp', required: false },
  { name: 'small', type: 'int32', required: false },
  { name: 'flag', type: 'boolean', required: false },
  { name: 'real', type: 'float64', required: false },
]

const row = fc.tuple(
  fc.option(fc.string({ unit: 'grapheme' })),
  fc.option(fc.uuid()),
  fc.option(fc.integer()),
  fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  fc.option(fc.boolean()),
  fc.option(fc.double({ noNaN: true })),
)

test('rows come back as they were, several pieces as one batch', () => {
  fc.assert(
    fc.property(fc.array(fc.array(row, { maxLength: 20 }), { maxLength: 5 }), (pieces) => {
      const encoded = pieces.map((rows) => encodeRows(resultRows(FIELDS, rows)))
      assert.deepEqual(valuesOf(decodeRows(encoded, FIELDS, 'the pieces')), pieces.flat())
    }),
    { numRuns: 200 },
  )
})

test('a piece that ends too early is said to be damaged', () => {
  const whole = encodeRows(resultRows(FIELDS, [['text', null, 1, 2, true, 0.5]]))
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => decodeRows([whole.subarray(0, length)], FIELDS, 'the piece'), MillraceError)
  }
})

function valuesOf(rows: ResultBatch): Value[][] {
  return Array.from({ length: rows.rowCount }, (_, index) =>
    rows.fields.map((field, column) => cellValue(rows.columns[column] as ResultBatch['columns'][number], field, index)),
  )
}
