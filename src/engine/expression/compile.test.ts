import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromBatches } from '../../../test/support/every-type-batches.ts'
import { naiveValue } from '../../../test/support/naive-expression.ts'
import { everyType, everyTypeRow, randomCondition, randomExpression } from '../../../test/support/random-expressions.ts'
import { cellValue } from '../../batch/cell.ts'
import { expressionText } from '../../plan/expression-text.ts'
import { expressionType } from '../../plan/expression-type.ts'
import { compilePredicate } from '../predicate.ts'
import { compileExpression } from './compile.ts'

const RUNS = process.env['MILLRACE_TEST_SCALE'] === 'full' ? 20_000 : 400
const { fields } = everyType
const rows = fc.array(everyTypeRow, { minLength: 1, maxLength: 12 })

test('a compiled expression gives for each row what the naive one gives, over growing and new dictionaries', () => {
  fc.assert(
    fc.property(randomExpression, rows, fc.integer({ min: 1, max: 12 }), (node, all, batchRows) => {
      const evaluate = compileExpression(node, fields, 1)
      const type = { ...expressionType(node, fields), name: 'value' }
      const values = fromBatches(all, batchRows, (batch) => {
        const column = evaluate(batch)
        return Array.from({ length: batch.rowCount }, (_, row) => cellValue(column, type, row))
      })
      assert.deepEqual(
        values,
        all.map((row) => naiveValue(node, row, fields)),
        expressionText(node),
      )
      if (type.required) assert.ok(!values.includes(null), `${expressionText(node)} is never null`)
    }),
    { numRuns: RUNS },
  )
})

test('a compiled condition is 1, 0 or 255 as the naive one is true, false or null', () => {
  fc.assert(
    fc.property(randomCondition, rows, fc.integer({ min: 1, max: 12 }), (node, all, batchRows) => {
      const predicate = compilePredicate(node, fields)
      const truths = fromBatches(all, batchRows, (batch) => [...predicate(batch).subarray(0, batch.rowCount)])
      const expected = all.map((row) => naiveValue(node, row, fields))
      assert.deepEqual(
        truths,
        expected.map((truth) => (truth === null ? 255 : Number(truth))),
        expressionText(node),
      )
    }),
    { numRuns: RUNS },
  )
})
