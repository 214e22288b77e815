import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Event, encoded } from '../../../test/support/events.ts'
import type { Batch } from '../../batch/batch.ts'
import { createScalarDecoder } from '../../batch/scalar-decoder.ts'
import { boolean, defineSchema, int32, text } from '../../batch/schema.ts'
import { ValueIds } from './value-ids.ts'

const { fields } = defineSchema({ page: text(), n: int32(), user: text({ cardinality: 'high' }), flag: boolean() })

const rows = fc.array(
  fc.record({
    page: fc.constantFrom('/a', '/b', '', null),
    n: fc.constantFrom(0, 1, -1, null),
    user: fc.constantFrom('x', 'a\u0000', 'a', null),
    flag: fc.constantFrom(true, false, null),
  }),
  { minLength: 1, maxLength: 60 },
)

test('rows of any batches have the same id exactly when all their values are the same', () => {
  fc.assert(
    fc.property(fc.array(rows, { minLength: 1, maxLength: 4 }), fc.subarray([0, 1, 2, 3]), (batches, columns) => {
      const ids = new ValueIds(columns, 5)
      const idByTuple = new Map<string, number>()
      for (const own of batches) {
        const batch = decoded(own)
        const selected = Int32Array.from(own.keys()).filter((row) => row % 3 !== 2)
        const given = ids.of(batch, selected, selected.length)
        for (const row of selected) {
          const tuple = JSON.stringify(columns.map((column) => Object.values(own[row])[column]))
          const id = idByTuple.get(tuple) ?? given[row]
          idByTuple.set(tuple, id)
          assert.equal(given[row], id)
        }
      }
      assert.equal(new Set(idByTuple.values()).size, idByTuple.size)
      assert.equal(ids.interner.size, idByTuple.size)
    }),
  )
})

test('null has no id where nulls are left out', () => {
  const batch = decoded([
    { page: null, n: null, user: null, flag: null },
    { page: '', n: 0, user: '', flag: false },
  ])
  for (const column of fields.keys()) {
    assert.equal(new ValueIds([column], 1).nonNull(batch, Int32Array.of(0, 1), 2)[0], -1)
    assert.ok(new ValueIds([column], 1).nonNull(batch, Int32Array.of(0, 1), 2)[1] >= 0)
  }
})

function decoded(own: readonly Event[]): Batch {
  const decoder = createScalarDecoder({ fields, knownMembers: new Set(), hashSeed: 7, dictionaryEntriesMax: 1_000 })
  return decoder.decode(encoded(own, 0))
}
