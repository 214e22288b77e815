import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sortedByNumber } from './number-sort.ts'

test('items come in the order of their numbers, those with equal ones in the order they had, however far numbers are apart', () => {
  const numbers = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.maxSafeInteger())
  fc.assert(
    fc.property(fc.array(numbers, { maxLength: 50 }), (list) => {
      const items = Int32Array.from(list.keys()).reverse()
      const expected = [...items].sort((left, right) => list[left] - list[right])
      assert.deepEqual([...sortedByNumber(items, (item) => list[item])], expected)
    }),
  )
})
