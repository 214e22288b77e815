import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JournalRecord } from './journal.ts'
import { planRecovery } from './recovery.ts'

test('every certain epoch behind the snapshot is run again, and the last is committed again', () => {
  const content = { snapshot: undefined, records: [...epoch(1, 0), ...epoch(3, 1), ...epoch(4, 3)], notices: [] }
  const { again, last, lastPreparedEpoch } = planRecovery(content, 'hash', 'here')
  assert.deepEqual([again.map(({ plan }) => plan.epoch), last?.epoch, lastPreparedEpoch], [[1, 3, 4], 4, 4])
})

test('epochs that the journals lack are missed: going on would count without their rows', () => {
  for (const [records, gap] of [
    [[...epoch(2, 1), ...epoch(3, 2)], /between epochs 0 and 2/],
    [[...epoch(1, 0), ...epoch(3, 2)], /between epochs 1 and 3/],
  ] as const) {
    const content = { snapshot: undefined, records, notices: [] }
    assert.throws(() => planRecovery(content, 'hash', 'here'), { code: 'corrupt-data', message: gap })
  }
})

test('of two open plans the first one runs, whatever number it was given since', () => {
  const plan = (one: number, previous: number): JournalRecord => epoch(one, previous)[0] as JournalRecord
  for (const records of [
    [...epoch(1, 0), plan(2, 1), plan(3, 2)],
    [...epoch(1, 0), plan(2, 1), plan(3, 2), plan(4, 1)],
  ]) {
    const { open, lastEpochNumber } = planRecovery({ snapshot: undefined, records, notices: [] }, 'hash', 'here')
    assert.deepEqual([open?.epoch, lastEpochNumber], [2, records.length - 1])
  }
})

function epoch(epoch: number, previous: number): JournalRecord[] {
  const plan = { epoch, previous, clockMs: 0, ranges: [], idle: [], ended: [], flush: false }
  const counts = { rowsRead: 0, bytesRead: 0, ledger: [], queryRows: [] }
  return [
    { type: 'plan', plan, configHash: 'hash', partitionIds: [] },
    { type: 'prepared', epoch, watermarks: [], hashes: [], outputs: [], counts, deadLetters: [] },
  ]
}
