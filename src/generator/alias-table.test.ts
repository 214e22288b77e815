import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AliasTable, zipfWeights } from './alias-table.ts'

/** How often each index comes out of a fine grid over both numbers: exact up to the grid's width. */
function shares(table: AliasTable): number[] {
  const steps = 500
  const counts = new Array<number>(table.size).fill(0)
  for (let cell = 0; cell < table.size; cell++) {
    for (let step = 0; step < steps; step++) counts[table.at((cell + 0.5) / table.size, (step + 0.5) / steps)]++
  }
  return counts.map((count) => count / (table.size * steps))
}

test('an alias table draws each index in proportion to its weight', () => {
  for (const weights of [[1], [1, 0], [0, 0, 5], [1, 2, 3, 4], [10, 1, 1, 1, 1], [...zipfWeights(50, 1.1)]]) {
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    for (const [index, share] of shares(new AliasTable(weights)).entries()) {
      assert.ok(Math.abs(share - weights[index] / total) < 0.002, `${index} of ${weights}: ${share}`)
    }
  }
})

test('an index without weight is never drawn', () => {
  const table = new AliasTable([3, 0, 7, 0])
  assert.deepEqual(
    shares(table).map((share) => share > 0),
    [true, false, true, false],
  )
})

test('weights by Zipf fall with the rank to the power of the exponent', () => {
  assert.deepEqual([...zipfWeights(4, 1)], [1, 1 / 2, 1 / 3, 1 / 4])
  assert.deepEqual([...zipfWeights(3, 0)], [1, 1, 1])
})
