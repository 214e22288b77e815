import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../../base/random.ts'
import { SlotCounts } from './slot-counts.ts'

type Model = Map<number, Map<number, number>>

test('counts as maps do, with few values and with many, and from the one to the other', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed)
    const counts = [new SlotCounts(), new SlotCounts()] as const
    const models: [Model, Model] = [new Map(), new Map()]
    let valuesMax = 1 + random.below(12)
    for (let step = 0; step < 120; step++) {
      if (seed % 3 === 0 && step === 60) valuesMax = 40
      const which = random.below(2)
      const held = counts[which] as SlotCounts
      const model = models[which] as Model
      switch (random.below(6)) {
        case 0:
          addPair(held, model, random.below(20), random.below(valuesMax), 1 + random.below(3))
          break
        case 1:
          addRows(held, model, random, valuesMax)
          break
        case 2:
          fold(counts, models, which, random)
          break
        case 3:
          takeOut(held, model, random.below(20))
          break
        case 4: {
          const slot = random.below(20)
          held.clear(slot)
          model.delete(slot)
          break
        }
        default:
          if (seed % 5 === 0 && step > 90) renumber(held, model)
      }
      assertSame(held, model, `seed ${seed}, step ${step}`)
    }
  }
})

function addPair(counts: SlotCounts, model: Model, slot: number, value: number, count: number): void {
  counts.add(slot, value, count)
  change(model, slot, value, count)
}

function addRows(counts: SlotCounts, model: Model, random: Random, valuesMax: number): void {
  const byRow = Int32Array.from({ length: 50 }, () => random.below(valuesMax + 1) - 1)
  const rows = Int32Array.from({ length: 30 }, () => random.below(50))
  const slots = Int32Array.from({ length: 30 }, () => random.below(20))
  counts.grow(20)
  counts.addRows(valuesMax, byRow, rows, slots, 30)
  for (const [index, row] of rows.entries()) {
    const value = byRow[row] as number
    if (value >= 0) change(model, slots[index] as number, value, 1)
  }
}

function fold(counts: readonly SlotCounts[], models: readonly Model[], to: number, random: Random): void {
  const from = Int32Array.from({ length: 20 }, (_, slot) => slot)
  const shift = random.below(20)
  const slots = from.map((slot) => (slot + shift) % 20)
  const [source, target] = [counts[1 - to] as SlotCounts, counts[to] as SlotCounts]
  source.grow(20)
  target.grow(20)
  target.addCounts(source, from, slots, 20, 1)
  if (random.below(2) === 0) {
    target.addCounts(source, from, slots, 20, -1)
    return
  }
  for (const [slot, held] of models[1 - to] as Model) {
    for (const [value, count] of held) change(models[to] as Model, (slot + shift) % 20, value, count)
  }
}

function takeOut(counts: SlotCounts, model: Model, slot: number): void {
  for (const [value, count] of [...(model.get(slot) ?? [])]) addPair(counts, model, slot, value, -count)
}

function renumber(counts: SlotCounts, model: Model): void {
  counts.renumber((value) => value ^ 1)
  for (const [slot, held] of model) model.set(slot, new Map([...held].map(([value, count]) => [value ^ 1, count])))
}

function change(model: Model, slot: number, value: number, by: number): void {
  const held = model.get(slot) ?? new Map<number, number>()
  model.set(slot, held)
  const count = (held.get(value) ?? 0) + by
  if (count === 0) held.delete(value)
  else held.set(value, count)
}

function assertSame(counts: SlotCounts, model: Model, where: string): void {
  for (let slot = 0; slot < 21; slot++) {
    const found = new Map<number, number>()
    counts.each(slot, (value, count) => found.set(value, count))
    assert.deepEqual(sorted(found), sorted(model.get(slot) ?? new Map()), `${where}, slot ${slot}`)
    assert.equal(counts.size(slot), found.size)
  }
  const large = [...model].filter(([, held]) => held.size > 3).map(([slot]) => slot)
  assert.deepEqual(
    counts.largerThan(3),
    large.sort((left, right) => left - right),
    where,
  )
}

function sorted(counts: ReadonlyMap<number, number>): [number, number][] {
  return [...counts].sort(([left], [right]) => left - right)
}
