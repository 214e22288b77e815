import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseProgress } from './progress.ts'

test('before any event, and without event time, there is no watermark', () => {
  const watermarkOf = (eventTime: object) => parseProgress(JSON.stringify({ batchId: 0, eventTime })).watermarkMs
  assert.equal(watermarkOf({ watermark: '1970-01-01T00:00:00.000Z' }), undefined)
  assert.equal(watermarkOf({}), undefined)
  assert.equal(watermarkOf({ watermark: '1970-01-01T00:00:00.001Z' }), 1)
})

test('rows are added up over sources and steps, offsets are data whether Spark tells JSON or a text of it', () => {
  const progress = parseProgress(
    JSON.stringify({
      batchId: 3,
      batchDuration: 12,
      sources: [{ startOffset: null, endOffset: '{"t":{"0":7}}', numInputRows: 4 }, { numInputRows: 1 }],
      stateOperators: [{ numRowsTotal: 2, numRowsDroppedByWatermark: 1 }, { numRowsTotal: 5 }],
    }),
  )
  const { inputRows, stateRows, lateRows, startOffset, endOffset } = progress
  assert.deepEqual({ inputRows, stateRows, lateRows }, { inputRows: 5, stateRows: 7, lateRows: 1 })
  assert.deepEqual([startOffset, endOffset], [null, { t: { 0: 7 } }])
})
