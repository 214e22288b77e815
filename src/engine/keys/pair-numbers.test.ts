import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PairNumbers } from './pair-numbers.ts'

/** Numbers set for pairs of so many slots and ids, and for some of them set back to none. */
const step = fc.record({
  slots: fc.constantFrom(1, 2, 50),
  ids: fc.constantFrom(5, 300, 4_000),
  pairs: fc.constantFrom(1, 100, 3_000),
  expected: fc.constantFrom(0, 100, 100_000),
  number: fc.nat(3),
  seed: fc.nat(1_000),
})

test('each pair has the number that was set last, in either form and through every change of it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 10 }), (steps) => {
      const pairs = new PairNumbers()
      const model = new Map<number, number>()
      let slotCount = 0
      let idCount = 0
      for (const one of steps) {
        slotCount = Math.max(slotCount, one.slots)
        idCount = Math.max(idCount, one.ids)
        pairs.reserve(slotCount, idCount, one.expected)
        for (let index = 0; index < one.pairs; index++) {
          const drawn = Math.imul(index + one.seed + 1, 0x9e3779b1) >>> 4
          const [slot, id] = [drawn % one.slots, (drawn >>> 8) % one.ids]
          const at = pairs.place(slot, id)
          pairs.numbers[at] = one.number
          model.set(slot * 10_000 + id, one.number)
        }
        for (const [pair, number] of model) {
          const at = pairs.place(Math.floor(pair / 10_000), pair % 10_000)
          assert.equal(pairs.numbers[at], number)
        }
      }
    }),
    { numRuns: 60 },
  )
})
