import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../../base/random.ts'
import { calibrationBins, calibrationError } from './calibration.ts'
import { ascending } from './ranking.ts'

test('outcomes fall into ten bins of the same size by what was said, and each says what came', () => {
  const random = new Random(3)
  const probabilities = Float64Array.from({ length: 10_000 }, () => 0.1 * random.fraction())
  const labels = Uint8Array.from(probabilities, (probability) => (random.chance(2 * probability) ? 1 : 0))
  const bins = binsOf(probabilities, labels)
  assert.deepEqual(
    bins.map(({ outcomes }) => outcomes),
    new Array(10).fill(1000),
  )
  for (const [index, { predicted, observed }] of bins.entries()) {
    assert.ok(Math.abs(predicted - (index + 0.5) / 100) < 0.002, `bin ${index} says ${predicted}`)
    assert.ok(Math.abs(observed - 2 * predicted) < 0.04, `bin ${index} says ${predicted}, and ${observed} came`)
  }
  const mean = probabilities.reduce((sum, one) => sum + one, 0) / 10_000
  const rate = labels.reduce((sum, one) => sum + one, 0) / 10_000
  assert.ok(Math.abs(calibrationError(probabilities, labels) - Math.abs(mean - rate)) < 1e-12, 'all lie below a tenth')
})

test('what was said alike is in one bin', () => {
  const labels = Uint8Array.of(1, 0, 0, 0, 1, 1, 1, 1, 0, 1, 1, 0)
  assert.deepEqual(binsOf(new Float64Array(12).fill(0.25), labels), [
    { outcomes: 12, predicted: 0.25, observed: 7 / 12 },
  ])
  const two = Float64Array.of(0.25, 0.25, 0.25, 0.25, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75)
  assert.deepEqual(binsOf(two, labels), [
    { outcomes: 4, predicted: 0.25, observed: 0.25 },
    { outcomes: 8, predicted: 0.75, observed: 0.75 },
  ])
})

test('fewer outcomes than bins have a bin each', () => {
  assert.deepEqual(binsOf(Float64Array.of(0.5, 0.25), Uint8Array.of(1, 0)), [
    { outcomes: 1, predicted: 0.25, observed: 0 },
    { outcomes: 1, predicted: 0.5, observed: 1 },
  ])
})

function binsOf(probabilities: Float64Array, labels: Uint8Array): ReturnType<typeof calibrationBins> {
  return calibrationBins(probabilities, labels, ascending(probabilities))
}
