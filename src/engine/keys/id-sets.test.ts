import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { IdSets } from './id-sets.ts'

/** Rows of a batch, one by one or many, over so many slots and ids; few of many pairs are a hash table, most of few are bits. */
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      what: fc.constant('rows' as const),
      slots: fc.constantFrom(1, 3, 200),
      ids: fc.constantFrom(3, 40, 900, 5_000),
      count: fc.constantFrom(1, 30, 4_000),
      seed: fc.nat(1_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('add' as const), slot: fc.nat(300), id: fc.nat(6_000) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('clear' as const), slot: fc.nat(10) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('renumber' as const) }) },
)

test('they hold what sets hold, while they change their form, whatever is added, taken out and renumbered', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const sets = new IdSets()
      let model = new Map<number, Set<number>>()
      const note = (slot: number, id: number): void => {
        const held = model.get(slot) ?? new Set()
        model.set(slot, held.add(id))
      }
      let idCount = 1
      for (const one of steps) {
        if (one.what === 'rows') {
          idCount = Math.max(idCount, one.ids)
          const byRow = drawn(one.count, one.ids + 1, one.seed).map((id) => id - 1)
          const slots = drawn(one.count, one.slots, one.seed + 7)
          sets.grow(one.slots)
          sets.addRows(byRow, Int32Array.from(byRow.keys()), slots, one.count, idCount)
          for (const [row, id] of byRow.entries()) if (id >= 0) note(slots[row], id)
        } else if (one.what === 'add') {
          idCount = Math.max(idCount, one.id + 1)
          sets.add(one.slot, one.id)
          note(one.slot, one.id)
        } else if (one.what === 'clear') {
          sets.clear(one.slot)
          model.delete(one.slot)
        } else {
          const turned = (id: number): number => (id % 2 === 0 ? id + 1 : id - 1)
          sets.renumber(turned)
          idCount++
          model = new Map([...model].map(([slot, held]) => [slot, new Set([...held].map(turned))]))
        }
        assertHolds(sets, model)
      }
    }),
    { numRuns: 60 },
  )
})

function assertHolds(sets: IdSets, model: ReadonlyMap<number, ReadonlySet<number>>): void {
  let size = 0
  for (let slot = 0; slot <= 301; slot++) {
    const found: number[] = []
    sets.each(slot, (id) => found.push(id))
    const held = model.get(slot) ?? new Set()
    assert.equal(sets.count(slot), held.size)
    assert.equal(found.length, held.size)
    assert.ok(found.every((id) => held.has(id)))
    size += held.size
  }
  assert.equal(sets.size, size)
}

/** Numbers below a limit, the same for the same seed. */
function drawn(count: number, limit: number, seed: number): Int32Array {
  return Int32Array.from({ length: count }, (_, index) => (Math.imul(index + seed + 1, 0x9e3779b1) >>> 8) % limit)
}
