import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobStatus, QueryView, SinkStatus } from '../job/status.ts'
import { FATES } from '../plan/fate.ts'
import { progressLine, reportTrouble } from './progress.ts'

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

// B38
test('until a window has closed each line says when the first one will', () => {
  const lineOf = (...queries: QueryView[]): string => progressLine({ ...STATUS, queries })
  const window = (minute: number) => ({ startMs: minute * 60_000, endMs: (minute + 1) * 60_000, groups: 1 })
  const pages: QueryView = { ...QUERY, openWindows: [window(5), window(6)] }
  const funnel: QueryView = { ...QUERY, openWindows: [window(4)], closesAfterMs: 30_000 }
  const begun = 'epoch 7  1,200 events  60 events/s  watermark 1970-01-01T00:05:10.000Z'
  assert.equal(
    lineOf(pages, funnel),
    `${begun}  first window closes when the watermark passes 1970-01-01T00:05:30.000Z`,
  )
  // It closes with the epoch that brings the watermark there.
  assert.equal(lineOf({ ...pages, openWindows: [window(4)] }), begun)
  assert.equal(lineOf({ ...pages, rowsEmitted: 3 }, funnel), begun)
  assert.equal(
    lineOf({ ...QUERY, rowsEmitted: 1_200 }, pages),
    `${begun}  first window closes when the watermark passes 1970-01-01T00:06:00.000Z`,
  )
  assert.equal(lineOf(QUERY), begun)
})

const QUERY: QueryView = {
  name: 'q',
  windowSizeMs: null,
  closesAfterMs: 0,
  rowsEmitted: 0,
  lateRows: 0,
  stateRows: 0,
  openWindows: [],
  columns: [],
  windows: [],
}

const STATUS: Parameters<typeof progressLine>[0] = {
  epoch: 7,
  rowsRead: 1_200,
  eventsPerSecond: 60,
  fates: { ...(Object.fromEntries(FATES.map((fate) => [fate, 0])) as JobStatus['fates']), accepted: 1_200 },
  watermarks: [
    {
      id: 'q/watermark',
      delayMs: 0,
      watermarkMs: 310_000,
      maxEventTimeMs: 310_000,
      why: '',
      heldByPartition: null,
      sinceMs: 0,
    },
  ],
  queries: [],
}

const SINK: SinkStatus = {
  name: 'a.parquet',
  query: 'a',
  kind: 'parquet',
  target: 'out/a',
  rows: 0,
  files: 0,
  bytes: 0,
  waitingRows: null,
  committedEpoch: 0,
  lastError: null,
  nextTryMs: null,
}
