import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PairCounts } from './pair-counts.ts'

const steps = fc.array(
  fc.tuple(
    fc.oneof(
      { weight: 20, arbitrary: fc.constant('add' as const) },
      { weight: 10, arbitrary: fc.constant('takeBack' as const) },
      { weight: 2, arbitrary: fc.constant('clear' as const) },
      { weight: 1, arbitrary: fc.constant('renumber' as const) },
    ),
    fc.nat(40),
    fc.nat(30),
    fc.integer({ min: 1, max: 3 }),
  ),
  { maxLength: 300, size: 'max' },
)

test('it counts as a map of counts does, and a pair that is counted down to nothing is gone', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const counts = new PairCounts()
      let model = new Map<number, Map<number, number>>()
      const change = (first: number, second: number, by: number): void => {
        counts.add(first, second, by)
        const held = model.get(first) ?? new Map<number, number>()
        model.set(first, held)
        held.set(second, (held.get(second) ?? 0) + by)
        if (held.get(second) === 0) held.delete(second)
      }
      for (const [what, first, second, by] of list) {
        if (what === 'add') change(first, second, by)
        else if (what === 'takeBack') change(first, second, -(model.get(first)?.get(second) ?? 0))
        else if (what === 'clear') {
          counts.clear(first)
          model.delete(first)
        } else {
          counts.renumber((value) => value ^ 64)
          model = new Map([...model].map(([key, held]) => [key, new Map([...held].map(([at, sum]) => [at ^ 64, sum]))]))
        }
      }
      assertCounts(counts, model)
    }),
  )
})

function assertCounts(counts: PairCounts, model: ReadonlyMap<number, ReadonlyMap<number, number>>): void {
  const large: number[] = []
  for (let first = 0; first <= 41; first++) {
    const held = [...(model.get(first) ?? [])].sort(([left], [right]) => left - right)
    const found: [number, number][] = []
    counts.each(first, (second, count) => found.push([second, count]))
    assert.deepEqual(
      found.sort(([left], [right]) => left - right),
      held,
    )
    assert.equal(counts.size(first), held.length)
    if (held.length > 3) large.push(first)
  }
  assert.deepEqual(counts.largerThan(3), large)
}
