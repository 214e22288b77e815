import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failedStatus, shopStatus } from '../../../test/support/shop-status.ts'
import { statusText } from './status.ts'

test('the status tells what each sink has, and what waits for its file', () => {
  const text = statusText(shopStatus(63_000))
  assert.match(text, /^page-metrics is running: epoch 126, 132,300 events, /)
  assert.match(text, /^ {2}sink {7}page_metrics\.parquet: 255 rows$/m)
  assert.match(text, /^ {2}sink {7}geo_metrics\.csv: 155 rows, 31 rows waiting for a file$/m)
})

test('what is wrong with a sink or the job is in the status', () => {
  const text = statusText(failedStatus(63_000))
  assert.match(text, /^ {2}sink {7}page_metrics\.parquet: no space left on device$/m)
  assert.match(text, /^ {2}error {6}\S.*\n {2}hint {7}\S/m)
})

test('a job that waits for a disk is not said to be running', () => {
  assert.match(statusText({ ...failedStatus(63_000), state: 'running' }), /^page-metrics is waiting: epoch 126, /)
})
