import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobStatus, SinkStatus } from '../job/status.ts'
import { reportTrouble } from './progress.ts'

test('a run that has to wait says so once, with the reason, and says when it goes on', () => {
  const listeners: (() => void)[] = []
  let sinks: SinkStatus[] = []
  const told: string[] = []
  reportTrouble(
    {
      status: () => ({ state: 'running', error: null, sinks }) as unknown as JobStatus,
      subscribe: (listener) => {
        listeners.push(listener)
        return () => {}
      },
    },
    (text) => told.push(text),
  )
  const stand = (lastError: string | null): void => {
    sinks = [{ ...SINK, lastError }]
    for (const listener of listeners) listener()
  }
  for (const error of [null, 'no space left', 'no space left', 'no space at all', null, null]) stand(error)
  assert.deepEqual(told, ['the sink a.parquet waits and tries again: no space left', 'the sink a.parquet goes on'])
})

const SINK: SinkStatus = {
  name: 'a.parquet',
  query: 'a',
  kind: 'parquet',
  target: 'out/a',
  rows: 0,
  files: 0,
  bytes: 0,
  committedEpoch: 0,
  lastError: null,
  nextTryMs: null,
}
