import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shopStatus } from '../../test/support/shop-status.ts'
import { summaryOf, summaryText } from './summary.ts'

const status = shopStatus(63_000)
const summary = summaryOf(status, 300, 2_000, null)

test('a run ends with what it read, what became of it, and where the results are', () => {
  const text = summaryText(summary, status, '/home/dead-letters')
  assert.match(text, /^page-metrics: 132,000 events in 2\.0 s, 66,000 events\/s\n {2}in all {3}132,300 events since/)
  assert.match(text, /^ {2}sink {5}page_metrics\.parquet: 5 files in out\/page_metrics$/m)
  assert.match(text, /^ {2}open {5}\d+ windows, closed by the watermark once the run goes on$/m)
  assert.match(text, /^ {2}dead letters in \/home\/dead-letters$/m)
})

test('a run of which nothing is kept names no files, and does not speak of going on', () => {
  const text = summaryText(summary, status, null)
  assert.match(text, /^ {2}sink {5}page_metrics\.parquet: 5 files$/m)
  assert.match(text, /^ {2}open {5}\d+ windows$/m)
  assert.doesNotMatch(text, /dead letters|goes on| in out/)
})
