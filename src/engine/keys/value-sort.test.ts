import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareBytes } from '../../base/bytes.ts'
import { Random } from '../../base/random.ts'
import { Interner } from './interner.ts'

/** Values as they come: alike at the front, one the front of another, with every byte there is. */
const KINDS: readonly ((random: Random) => Uint8Array)[] = [
  (random) => Uint8Array.from({ length: random.below(5) }, () => random.below(3)),
  (random) => Uint8Array.from({ length: random.below(12) }, () => (random.below(4) === 0 ? 255 : 0)),
  (random) => Buffer.from(`\u0001user_${random.below(100_000)}\0\0`),
  (random) => Buffer.from(`/${'shared/'.repeat(random.below(30))}${random.below(10)}`),
  (random) => Uint8Array.from({ length: 16 }, () => random.below(256)),
]

test('items are sorted by the bytes of their values, those of one value as they were', () => {
  for (const [kind, value] of KINDS.entries()) {
    for (const wanted of [0, 1, 2, 15, 17, 300, 5_000]) {
      const random = new Random(kind * 10_000 + wanted)
      const interner = new Interner(1)
      for (let index = 0; index < wanted; index++) interner.intern(value(random))
      const { size } = interner
      // Some values have several items, some have none.
      const ids = Int32Array.from({ length: size * 2 }, () => random.below(size))
      const items = Int32Array.from(ids.keys())
      interner.sort(items, ids)
      const expected = [...ids.keys()].sort((left, right) =>
        compareBytes(interner.bytes(ids[left] as number), interner.bytes(ids[right] as number)),
      )
      assert.deepEqual([...items], expected, `kind ${kind}, ${size} values`)
    }
  }
})
