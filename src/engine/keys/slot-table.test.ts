import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SlotTable } from './slot-table.ts'

/** Small ids, that an array holds, and large ones, that make it a hash table. */
const keyIds = fc.array(fc.oneof(fc.nat(50), fc.nat(6_000), fc.nat(1_000_000)), { maxLength: 300, size: 'max' })

test('slots are dense, in the order of first sight, whether ids are small numbers or few of many', () => {
  fc.assert(
    fc.property(keyIds, (ids) => {
      const table = new SlotTable()
      const expected = [...new Set(ids)]
      for (const id of ids) assert.equal(table.slot(id), expected.indexOf(id))
      assert.deepEqual([...table.keyIds], expected)
      for (const [slot, id] of expected.entries()) {
        assert.equal(table.find(id), slot)
        assert.equal(table.keyId(slot), id)
      }
      for (const other of [51, 7_000, 2_000_000]) if (!ids.includes(other)) assert.equal(table.find(other), -1)
    }),
  )
})

test('many rows at once get the slots that they would get one by one', () => {
  fc.assert(
    fc.property(keyIds, fc.nat(20), (ids, skipped) => {
      const table = new SlotTable()
      const one = new SlotTable()
      const rows = Int32Array.from(ids.keys()).reverse()
      const from = Math.min(skipped, ids.length)
      const slots = new Int32Array(ids.length)
      table.assign(Int32Array.from(ids), rows, from, ids.length, slots)
      const expected = [...rows.subarray(from)].map((row) => one.slot(ids[row]))
      assert.deepEqual([...slots.subarray(0, expected.length)], expected)
    }),
  )
})

test('keys keep their slots when they get other ids', () => {
  fc.assert(
    fc.property(keyIds, fc.integer({ min: 1, max: 1_000 }), (ids, step) => {
      const table = new SlotTable()
      for (const id of ids) table.slot(id)
      const before = [...table.keyIds]
      table.renumber((id) => id * step + 3)
      assert.deepEqual(
        [...table.keyIds],
        before.map((id) => id * step + 3),
      )
      for (const [slot, id] of before.entries()) assert.equal(table.find(id * step + 3), slot)
      table.clear()
      assert.equal(table.size, 0)
      for (const id of before) assert.equal(table.find(id * step + 3), -1)
    }),
  )
})
