import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../../base/random.ts'
import { BatchMeans } from './batch-means.ts'
import { Prequential } from './prequential.ts'
import { verdictOf } from './verdict.ts'

test('the margin holds the true mean 19 times of 20, also where neighbours are alike', () => {
  const random = new Random(4)
  let held = 0
  for (let trial = 0; trial < 400; trial++) {
    const means = new BatchMeans(4000)
    let [sum, level] = [0, 0]
    for (let index = 0; index < 4000; index++) {
      if (index % 20 === 0) level = random.fraction() - 0.5
      means.add(level)
      sum += level
    }
    if (Math.abs(sum / 4000) <= (means.margin() ?? 0)) held++
  }
  assert.ok(held > 0.92 * 400 && held < 0.98 * 400, `${held} of 400`)
})

test('few values have no margin', () => {
  const means = new BatchMeans(199)
  for (let index = 0; index < 199; index++) means.add(index)
  assert.equal(means.margin(), null)
})

test('a model is better or worse than the base rate when that is no chance', () => {
  assert.equal(verdict(0.2), 'better')
  assert.equal(verdict(0), 'no better')
  assert.equal(verdict(-0.2), 'worse')
  assert.equal(verdict(0.2, 100), 'no better', 'too few outcomes to tell')
})

/** Of a model that says 0.3 plus or minus something, of outcomes for which plus or minus 0.2 is true. */
function verdict(said: number, outcomes = 2000): string {
  const random = new Random(1)
  const prequential = new Prequential(10_000)
  for (let index = 0; index < outcomes; index++) {
    const sign = random.chance(0.5) ? 1 : -1
    prequential.add(0.3 + sign * said, 0.3, random.chance(0.3 + sign * 0.2))
  }
  const metrics = prequential.metrics()
  assert.ok(metrics)
  return verdictOf(metrics)
}
