import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  approxCountDistinct,
  assertPlan,
  clickEvent,
  col,
  count,
  day,
  eq,
  logSource,
  parquet,
  pipeline,
  stream,
  sum,
  tumbling,
} from './index.ts'

test('a pipeline is written with the public names alone', () => {
  const events = stream(logSource('events'), clickEvent).withWatermark('event_time', '2 minutes')

  const pageMetrics = events
    .groupBy('page_url')
    .window(tumbling('1 minute'))
    .aggregate({
      pageviews: count(),
      users: approxCountDistinct('user_id'),
      revenue: sum('amount').where(eq(col('event_type'), 'purchase')),
    })

  const metrics = pipeline('page-metrics').query('page_metrics', pageMetrics, [
    parquet('out/page_metrics', { partitionBy: day('window_start').as('dt') }),
  ])
  assertPlan(metrics)
  assert.equal(metrics.queries.length, 1)
})
