import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PairSet } from './pair-set.ts'

type Step = readonly ['add' | 'clear' | 'renumber', number, number]

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(
    fc.oneof(
      { weight: 30, arbitrary: fc.constant('add' as const) },
      { weight: 2, arbitrary: fc.constant('clear' as const) },
      { weight: 1, arbitrary: fc.constant('renumber' as const) },
    ),
    fc.nat(40),
    fc.nat(30),
  ),
  { maxLength: 300, size: 'max' },
)

test('it holds what a set of pairs holds, whatever is added, taken out and renumbered', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const set = new PairSet()
      let model = new Map<number, Set<number>>()
      for (const [what, first, second] of list) {
        if (what === 'add') {
          const held = model.get(first) ?? new Set()
          model.set(first, held)
          assert.equal(set.add(first, second), !held.has(second))
          held.add(second)
        } else if (what === 'clear') {
          set.clear(first)
          model.delete(first)
        } else {
          const turned = (value: number): number => (value % 2 === 0 ? value + 100 : value)
          set.renumber(turned)
          model = new Map([...model].map(([key, held]) => [key, new Set([...held].map(turned))]))
        }
      }
      assertHolds(set, model)
    }),
  )
})

function assertHolds(set: PairSet, model: ReadonlyMap<number, ReadonlySet<number>>): void {
  for (let first = 0; first <= 41; first++) {
    const held = [...(model.get(first) ?? [])].sort((left, right) => left - right)
    const found: number[] = []
    set.each(first, (second) => found.push(second))
    assert.deepEqual(
      found.sort((left, right) => left - right),
      held,
    )
    assert.equal(set.count(first), held.length)
    for (const second of held) assert.ok(set.has(first, second))
    assert.ok(!set.has(first, 99_999))
  }
  assert.equal(
    set.size,
    [...model.values()].reduce((sum, held) => sum + held.size, 0),
  )
}
