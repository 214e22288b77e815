import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FULL_FACTOR, LAW_RUNS } from './law-runs.ts'
import { SESSION_END_CASES } from './session-end-cases.ts'
import { WINDOW_CASES } from './window-cases.ts'

test('the laws of the engine are tried with 2,000 cases, and with 50,000 in the full suite', () => {
  const { sessionEnds, floatSums, models: _models, funnels: _funnels, ...perWindow } = LAW_RUNS
  const ofWindow = Object.values(perWindow).reduce((total, runs) => total + runs, 0)
  const cases = WINDOW_CASES.length * ofWindow + SESSION_END_CASES.length * sessionEnds + floatSums
  assert.ok(cases >= 2_000, `${cases} cases`)
  assert.ok(cases * FULL_FACTOR >= 50_000, `${cases * FULL_FACTOR} cases in the full suite`)
})
