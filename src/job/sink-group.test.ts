import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SINK_FIELDS, SINK_KEYS, sinkBatch } from '../../test/support/sink-rows.ts'
import { VirtualClock } from '../base/clock.ts'
import { MillraceError } from '../base/error.ts'
import type { EpochResults } from '../engine/epoch.ts'
import { MemoryStore, memorySink } from '../sinks/memory-sink.ts'
import type { Sink } from '../sinks/sink.ts'
import { SinkGroup, type SinkHistory } from './sink-group.ts'
import { Totals } from './totals.ts'

const AT = { epoch: 1, previous: 0, fence: 1 }
const HASHES = new Map([['q/append', 'hash']])
const NEVER = new AbortController().signal

test('a view that fails stops nobody, and its trouble can be seen', async () => {
  const store = new MemoryStore()
  const broken: Sink = {
    ...memorySink({ name: 'q.screen' }),
    view: true,
    commit: () => Promise.reject(new Error('the terminal is gone')),
  }
  const group = await groupOf(broken, memorySink({ name: 'q.memory' }, store))
  await group.open(1, historyUpTo(0))
  await group.commit(AT, await group.prepare(AT, results(), HASHES, NEVER), NEVER)
  assert.equal(store.rows.length, 1)
  const trouble = group.status(new Totals()).map(({ name, lastError, nextTryMs }) => [name, lastError, nextTryMs])
  assert.deepEqual(trouble, [
    ['q.screen', 'the terminal is gone', null],
    ['q.memory', null, null],
  ])
})

test('a sink that is away for a while holds the epoch back until it is there again', async () => {
  const store = new MemoryStore()
  let refusals = 3
  const sink = memorySink({ name: 'q.memory' }, store)
  const flaky: Sink = {
    ...sink,
    async commit(epoch, prepared) {
      if (refusals-- > 0) throw new MillraceError('unavailable', 'the server is away', { hint: 'wait' })
      await sink.commit(epoch, prepared)
    },
  }
  const clock = new VirtualClock()
  const group = await groupOf(flaky, memorySink({ name: 'q.other' }), clock)
  await group.open(1, historyUpTo(0))
  await group.commit(AT, await group.prepare(AT, results(), HASHES, NEVER), NEVER)
  assert.equal(store.rows.length, 1)
  assert.ok(clock.now() >= (100 + 200 + 400) / 2 && clock.now() <= (100 + 200 + 400) * 1.5, `${clock.now()} ms`)
  assert.equal(group.status(new Totals())[0]?.lastError, null)
})

test('a sink that is ahead of the checkpoint stops the job, also when it went on until it was shut out', async () => {
  const store = new MemoryStore()
  store.mark = { epoch: 5, fence: 1, hash: 'hash' }
  const group = await groupOf(memorySink({ name: 'q.memory' }, store), memorySink({ name: 'q.other' }))
  await assert.rejects(group.open(2, historyUpTo(4)), {
    code: 'incompatible-state',
    message: /has committed epoch 5, .* up to 4 only/,
  })
  assert.equal(store.fence, 0)
  const racing: Sink = { ...memorySink({ name: 'q.memory' }, store), progress: () => Promise.resolve(undefined) }
  const late = await groupOf(racing, memorySink({ name: 'q.other' }))
  await assert.rejects(late.open(2, historyUpTo(4)), { code: 'incompatible-state' })
})

test('when a sink fails for good, those that wait for their server have given up before anybody is told', async () => {
  let attempts = 0
  const away: Sink = {
    ...memorySink({ name: 'q.away' }),
    async commit() {
      const code = ++attempts < 1_000 ? 'unavailable' : 'data-loss'
      throw new MillraceError(code, 'the server is away', { hint: 'wait' })
    },
  }
  const stale: Sink = {
    ...memorySink({ name: 'q.stale' }),
    commit: () => Promise.reject(new MillraceError('incompatible-state', 'it is stale', { hint: 'end' })),
  }
  const group = await groupOf(away, stale)
  await group.open(1, historyUpTo(0))
  const prepared = await group.prepare(AT, results(), HASHES, NEVER)
  await assert.rejects(group.commit(AT, prepared, NEVER), { code: 'incompatible-state' })
  assert.ok(attempts < 10, `${attempts} attempts`)
})

async function groupOf(first: Sink, second: Sink, clock: VirtualClock = new VirtualClock()): Promise<SinkGroup> {
  const output = { name: 'q', fields: SINK_FIELDS, keyColumns: SINK_KEYS, modes: ['append'] as const, closesAfterMs: 0 }
  const context = { pipeline: 'p', workingFolder: '/', owner: 'a test', print: () => {}, clock }
  return SinkGroup.create([{ output, specs: [], views: [first, second] }], context)
}

function historyUpTo(lastPreparedEpoch: number): SinkHistory {
  return { lastPreparedEpoch, certain: [], sinksNamed: new Set() }
}

function results(): EpochResults {
  const append = sinkBatch([{ page: '/a', views: 1 }])
  return {
    epoch: 1,
    rowsRead: 1,
    queries: [{ append, lateRows: 0 }],
    deadLetters: [],
    ledger: [],
    watermarks: [],
  }
}
