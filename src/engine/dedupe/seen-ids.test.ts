import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { Random } from '../../base/random.ts'
import { SeenIds } from './seen-ids.ts'
import { ID_WORDS } from './wide-ids.ts'

test('remembers as long as a map with times would, whatever is forgotten, and through a snapshot', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed)
    let seen = new SeenIds([seed, 7])
    const model = new Map<string, number>()
    let horizonMs = 0
    for (let turn = 0; turn < 60; turn++) {
      const count = random.below(200)
      const words = Int32Array.from({ length: count * ID_WORDS }, (_, at) =>
        at % ID_WORDS < 2 ? random.below(40) - 20 : 1,
      )
      const nulls = Uint8Array.from({ length: count }, () => (random.below(20) === 0 ? 1 : 0))
      const times = Float64Array.from({ length: count }, () => horizonMs + 1 + random.below(1_000))
      const isNew = new Uint8Array(count)
      seen.addAll({ words, nulls }, times, count, isNew)
      const expected = Array.from({ length: count }, (_, index) => {
        if (nulls[index] === 1) return 1
        const id = words.subarray(index * ID_WORDS, (index + 1) * ID_WORDS).join()
        if ((model.get(id) ?? Number.NEGATIVE_INFINITY) > horizonMs) return 0
        model.set(id, times[index] as number)
        return 1
      })
      assert.deepEqual([...isNew], expected, `seed ${seed}, turn ${turn}`)
      horizonMs += random.below(120)
      seen.forget(horizonMs)
      assert.equal(seen.size, [...model.values()].filter((timeMs) => timeMs > horizonMs).length)
      if (random.below(10) === 0) seen = restored(seen, horizonMs)
    }
  }
})

test('a snapshot does not depend on the key of the table, nor on what was forgotten before', () => {
  const one = new SeenIds([1, 2])
  const other = new SeenIds([3, 4])
  for (let id = 0; id < 2_000; id++) add(one, id, id)
  one.forget(999)
  other.forget(999)
  for (let id = 1_000; id < 2_000; id++) add(other, id, id)
  assert.deepEqual(written(one), written(other))
})

test('what is forgotten takes room until the table is made compact', () => {
  const seen = new SeenIds([1, 2])
  for (let id = 0; id < 1_000; id++) add(seen, id, id)
  seen.forget(500)
  assert.deepEqual([seen.held, seen.size], [1_000, 499])
  seen.compact()
  assert.deepEqual([seen.held, seen.size], [499, 499])
})

test('what is forgotten goes with the next id, round and round, where ids come in the order of their times', () => {
  const seen = new SeenIds([1, 2])
  for (let id = 0; id < 2_000; id++) {
    seen.forget(id - 100)
    add(seen, id, id)
    assert.deepEqual([seen.held, seen.size], [Math.min(id + 1, 100), Math.min(id + 1, 100)])
  }
})

function add(seen: SeenIds, id: number, timeMs = 1): void {
  const words = Int32Array.of(Math.imul(id, 0x9e3779b1), 0, id % 3, id)
  seen.addAll({ words, nulls: new Uint8Array(1) }, Float64Array.of(timeMs), 1, new Uint8Array(1))
}

function written(seen: SeenIds): Uint8Array {
  const writer = new ByteWriter(1024)
  seen.write(writer)
  return writer.finish()
}

function restored(seen: SeenIds, horizonMs: number): SeenIds {
  const again = new SeenIds([9, 9])
  again.forget(horizonMs)
  again.merge(new ByteReader(written(seen), 'ids'))
  assert.deepEqual(written(again), written(seen))
  return again
}
