import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { QueryState } from '../../spark/run.ts'
import { sparkStatus } from './spark-feed.ts'

const JOB = { pipeline: 'pages', startedAtMs: 1_000, nowMs: 5_000 }
const PAGES: QueryState = {
  name: 'pages.parquet',
  state: 'running',
  restarts: 1,
  progress: {
    batchId: 7,
    inputRows: 600,
    watermarkMs: 90_000,
    durationMs: 412,
    stateRows: 42,
    lateRows: 2,
    startOffset: null,
    endOffset: null,
  },
}
const USERS: QueryState = { name: 'users.postgres', state: 'starting', restarts: 0, progress: undefined }

test('the page is told what Spark has told, of tables what the relay has brought, and null of what nobody knows yet', () => {
  const { pipeline, spark } = sparkStatus(JOB, [PAGES, USERS], [{ name: 'users.postgres', rows: 12 }])
  assert.equal(pipeline, 'pages')
  assert.deepEqual(spark, [
    {
      name: 'pages.parquet',
      state: 'running',
      restarts: 1,
      batches: 8,
      batchRows: 600,
      batchLateRows: 2,
      batchMs: 412,
      stateRows: 42,
      watermarkMs: 90_000,
      relayedRows: null,
    },
    {
      name: 'users.postgres',
      state: 'starting',
      restarts: 0,
      batches: 0,
      batchRows: null,
      batchLateRows: null,
      batchMs: null,
      stateRows: null,
      watermarkMs: null,
      relayedRows: 12,
    },
  ])
})

test('a run is as well as the query that is worst off', () => {
  const state = (...states: readonly QueryState['state'][]) =>
    sparkStatus(
      JOB,
      states.map((one) => ({ ...PAGES, state: one })),
      [],
    ).state
  assert.equal(state('running', 'lost', 'starting'), 'recovering')
  assert.equal(state('running', 'starting'), 'starting')
  assert.equal(state('running', 'ended'), 'running')
  assert.equal(state('ended', 'ended'), 'finished')
})
