import assert from 'node:assert/strict'
import { test } from 'node:test'
import { calibrationDots, calibrationEnd } from './calibration.ts'

test('a dot is off when chance does not explain its distance', () => {
  const [near, far, few] = calibrationDots([
    { outcomes: 100, predicted: 0.2, observed: 0.26 },
    { outcomes: 100, predicted: 0.2, observed: 0.4 },
    { outcomes: 5, predicted: 0.2, observed: 0.4 },
  ])
  assert.deepEqual([near?.off, far?.off, few?.off], [false, true, false])
  // R: prop.test(40, 100, correct = FALSE)
  assert.deepEqual([far?.least.toFixed(4), far?.most.toFixed(4)], ['0.3094', '0.4980'])
})

test('shares of nothing and of all stay between 0 and 1', () => {
  for (const { least, most } of calibrationDots([
    { outcomes: 1, predicted: 0.5, observed: 0 },
    { outcomes: 1000, predicted: 0.5, observed: 1 },
  ])) {
    assert.ok(least >= 0 && most <= 1 && least < most)
  }
})

test('the axes end where the highest dot with its interval still fits', () => {
  assert.equal(calibrationEnd([]), 0.01)
  assert.equal(calibrationEnd(calibrationDots([{ outcomes: 10_000, predicted: 0.03, observed: 0.031 }])), 0.05)
  assert.equal(calibrationEnd(calibrationDots([{ outcomes: 10, predicted: 0.9, observed: 0.9 }])), 1)
})
