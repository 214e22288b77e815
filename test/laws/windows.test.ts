import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rowsOf } from '../../src/sinks/memory-sink.ts'
import { appended, applyUpdates, EngineRun } from '../support/events.ts'
import { lawRuns } from '../support/law-runs.ts'
import { identityOf, type ResultRow } from '../support/naive-windows.ts'
import {
  assertRows,
  byPartition,
  epochsOf,
  history,
  type Step,
  WINDOW_CASES,
  type WindowCase,
} from '../support/window-cases.ts'

for (const one of WINDOW_CASES) {
  test(`${one.name}: any cut into epochs, any partitions, the same with and without restarts, gives the rows of the definition`, () => {
    fc.assert(
      fc.property(history, fc.constantFrom(1, 2, 4), (steps, partitions) => {
        assertLikeDefinition(one, steps, partitions)
      }),
      { numRuns: lawRuns('rowsOfDefinition') },
    )
  })

  test(`${one.name}: after each epoch, what update and complete mode show is what the definition gives so far`, () => {
    fc.assert(
      fc.property(history, fc.constantFrom(1, 2), (steps, partitions) => {
        assertShowsAllSoFar(one, steps, partitions)
      }),
      { numRuns: lawRuns('viewsOfDefinition') },
    )
  })
}

function assertLikeDefinition(one: WindowCase, steps: readonly Step[], partitions: number): void {
  const epochs = epochsOf(steps, partitions, one)
  const straight = new EngineRun(one.plan, partitions)
  let restarted = new EngineRun(one.plan, partitions)
  const rows = new Map<string, ResultRow>()
  let closedToMs = Number.NEGATIVE_INFINITY
  for (const [index, events] of [...epochs, []].entries()) {
    const flush = index === epochs.length
    const results = straight.epoch(byPartition(events, partitions), { flush })
    assert.deepEqual(restarted.epoch(byPartition(events, partitions), { flush }), results)
    const state = straight.engine.snapshot()
    restarted = restarted.restored()
    assert.deepEqual(restarted.engine.snapshot(), state)
    for (const row of appended(results)) {
      const id = identityOf(row, one.keys)
      assert.ok(!rows.has(id), `shown once: ${id}`)
      rows.set(id, row)
    }
    assert.equal(results.queries[0]?.lateRows, 0)
    for (const row of appended(results)) closedToMs = Math.max(closedToMs, Number(row['window_end']))
    for (const { endMs } of straight.engine.status().queries[0]?.openWindows ?? []) assert.ok(!(endMs <= closedToMs))
  }
  assertRows(rows, one.naive(epochs.flat()))
  const status = straight.engine.status().queries[0]
  assert.deepEqual([status?.stateRows, status?.openWindows], [0, []])
}

function assertShowsAllSoFar(one: WindowCase, steps: readonly Step[], partitions: number): void {
  const epochs = epochsOf(steps, partitions, one)
  const run = new EngineRun(one.plan, partitions)
  const view = new Map<string, ResultRow>()
  const closed = new Map<string, ResultRow>()
  for (const [index, events] of [...epochs, []].entries()) {
    const results = run.epoch(byPartition(events, partitions), { flush: index === epochs.length })
    const expected = one.naive(epochs.slice(0, index + 1).flat())
    applyUpdates(view, results, (row) => identityOf(row, one.keys))
    assertRows(view, expected)
    const { complete } = results.queries[0] ?? {}
    assert.ok(complete)
    const all = new Map([...closed, ...rowsOf(complete).map((cells) => withIdentity(Object.fromEntries(cells), one))])
    assertRows(all, expected)
    for (const row of appended(results)) closed.set(...withIdentity(row, one))
  }
}

function withIdentity(row: ResultRow, { keys }: WindowCase): [string, ResultRow] {
  return [identityOf(row, keys), row]
}
