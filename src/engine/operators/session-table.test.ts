import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SessionTable } from './session-table.ts'
import { SessionTimers } from './session-timers.ts'

const steps = fc.array(
  fc.record({ what: fc.constantFrom('add', 'add', 'remove', 'renumber'), key: fc.nat(5), at: fc.nat(1_000) }),
  { maxLength: 200, size: 'max' },
)

test('each key has a list of its sessions, through adding, removing, reuse of slots and other ids for keys', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const table = new SessionTable(10, Number.POSITIVE_INFINITY, false)
      let model: { key: number; slot: number; at: number }[] = []
      let shift = 0
      for (const { what, key, at } of list) {
        const own = model.filter((one) => one.key === key + shift)
        if (what === 'add') {
          const slot = table.add(key + shift, at, at + 5)
          table.link(slot)
          assert.ok(!model.some((one) => one.slot === slot), 'a slot is given once')
          model.push({ key: key + shift, slot, at })
        } else if (what === 'remove' && own.length > 0) {
          const gone = own[at % own.length]
          table.remove(gone.slot)
          model = model.filter((one) => one !== gone)
        } else if (what === 'renumber') {
          table.renumber((id) => id + 7)
          shift += 7
          model = model.map((one) => ({ ...one, key: one.key + 7 }))
        }
      }
      for (let key = 0; key <= 5; key++) {
        const own = model.filter((one) => one.key === key + shift)
        assert.deepEqual(table.ofKey(key + shift).sort(), own.map(({ slot }) => slot).sort())
        const near = own.filter(({ at }) => at + 15 >= 500 && at <= 530).map(({ slot }) => slot)
        assert.deepEqual(table.neighbours(key + shift, 500, 520).sort(), near.sort())
      }
      assert.equal(table.size, model.length)
      assert.deepEqual([...table.slots()].sort(), model.map(({ slot }) => slot).sort())
    }),
  )
})

test('an event extends the only session of its key when no more than the gap lies between', () => {
  const table = new SessionTable(10, Number.POSITIVE_INFINITY, false)
  const slot = table.add(3, 100, 120)
  table.link(slot)
  assert.equal(extendOnly(table, 131), -1)
  assert.equal(extendOnly(table, 89), -1)
  assert.equal(extendOnly(table, 130), slot)
  assert.equal(extendOnly(table, 90), slot)
  assert.equal(extendOnly(table, 100), slot)
  assert.deepEqual([table.startMs(slot), table.lastMs(slot)], [90, 130])
  const second = table.add(3, 500, 500)
  table.link(second)
  assert.equal(extendOnly(table, 495), -1, 'with two sessions, the search decides')
  table.remove(slot)
  assert.equal(extendOnly(table, 495), second)
  table.mark(second)
  assert.equal(extendOnly(table, 495), -1, 'what is closed takes in nothing')
})

test('timers give each slot once, when its deadline of that moment is reached, and never a stopped one', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.array(
        fc.record({ what: fc.constantFrom('start', 'extend', 'stop', 'tick'), slot: fc.nat(6), by: fc.nat(50) }),
        { maxLength: 150, size: 'max' },
      ),
      (gapMs, list) => {
        const timers = new SessionTimers(gapMs)
        const deadlines = new Map<number, number>()
        let nowMs = 0
        for (const { what, slot, by } of list) {
          if (what === 'start' && !deadlines.has(slot)) {
            deadlines.set(slot, nowMs + by)
            timers.start(slot, nowMs + by)
          } else if (what === 'extend' && deadlines.has(slot)) {
            deadlines.set(slot, (deadlines.get(slot) ?? 0) + by)
          } else if (what === 'stop') {
            deadlines.delete(slot)
            timers.stop(slot)
          } else if (what === 'tick') {
            nowMs += by
            const expected = [...deadlines].filter(([, at]) => at <= nowMs).map(([one]) => one)
            const due = timers.due(nowMs, (one) => deadlines.get(one) ?? Number.NaN)
            assert.deepEqual(due.sort(), expected.sort())
            for (const one of due) deadlines.delete(one)
          }
        }
        const rest = timers.due(Number.POSITIVE_INFINITY, (one) => deadlines.get(one) ?? Number.NaN)
        assert.deepEqual(rest.sort(), [...deadlines.keys()].sort())
      },
    ),
  )
})

/** The slot of key 3 that takes in a single row, or -1. */
function extendOnly(table: SessionTable, timeMs: number): number {
  const slots = new Int32Array(1)
  const rows = Int32Array.of(0)
  return table.extendOnly(Int32Array.of(3), Float64Array.of(timeMs), rows, 0, 1, slots) === 1 ? slots[0] : -1
}
