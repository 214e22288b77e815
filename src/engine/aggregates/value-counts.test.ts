import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encoded } from '../../../test/support/events.ts'
import { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { Batch } from '../../batch/batch.ts'
import { cellValue } from '../../batch/cell.ts'
import { createScalarDecoder } from '../../batch/scalar-decoder.ts'
import { defineSchema, type Field, float64, text } from '../../batch/schema.ts'
import { ColumnBuilder } from '../column-builder.ts'
import type { AggregateState, Aggregator } from './aggregate.ts'
import { quantile } from './quantile.ts'
import { topK } from './top-k.ts'

const { fields } = defineSchema({ page: text(), x: float64() })
const [page, x] = fields as [Field, Field]

test('a quantile is within 1 % of the value of its rank, for values of any sign and 31 orders of magnitude', () => {
  const value = fc.oneof(
    fc.constant(0),
    fc
      .tuple(fc.constantFrom(1, -1), fc.double({ min: -40, max: 64, noNaN: true }))
      .map(([sign, power]) => sign * 2 ** power),
  )
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 60 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (xs, q) => {
        const aggregator = quantile(x, 1, q)
        const sorted = [...xs].sort((left, right) => left - right)
        const exact = sorted[Math.floor(q * (xs.length - 1))]
        const given = Number(
          quantileOf(
            fed(
              aggregator,
              xs.map((one) => ({ x: one })),
            ),
          ),
        )
        assert.ok(Math.abs(given - exact) <= 0.01 * Math.abs(exact) * (1 + 1e-9), `${given} for ${exact}`)
      },
    ),
    { numRuns: 500 },
  )
})

test('what is nearer to zero than 2^-40 counts as zero, and what is beyond 2^64 as that', () => {
  const median = quantile(x, 1, 0.5)
  assert.equal(quantileOf(fed(median, [{ x: 1e-13 }])), 0)
  assert.equal(quantileOf(fed(median, [{ x: -1e-13 }])), 0)
  const largest = Number(quantileOf(fed(median, [{ x: 1e300 }])))
  assert.ok(Math.abs(largest / 2 ** 64 - 1) < 0.01)
  assert.equal(quantileOf(fed(median, [{ x: -1e300 }])), -largest)
  assert.equal(quantileOf(fed(median, [{ x: null }])), null)
})

test('a bin that does not exist is damage', () => {
  const writer = new ByteWriter()
  for (const part of [0, 1, 99_999, 1]) writer.varint(part)
  const state = quantile(x, 1, 0.5).newState()
  assert.throws(() => state.merge(Int32Array.of(0), 1, new ByteReader(writer.finish(), 'state')), {
    code: 'corrupt-data',
    message: /there is no bin 99999/,
  })
})

test('what has been folded in and taken out again leaves the bytes of what was there before', () => {
  const row = fc.record({ page: fc.constantFrom('a', 'b', 'c', null), x: fc.constantFrom(1, -2, 0, 7.5, null) })
  fc.assert(
    fc.property(fc.array(row, { maxLength: 20 }), fc.array(row, { maxLength: 20 }), (kept, gone) => {
      for (const aggregator of [quantile(x, 1, 0.5), topK({ field: page, columnIndex: 0, k: 2, seed: 1 })]) {
        const state = fed(aggregator, kept)
        const before = bytesOf(state)
        const other = fed(aggregator, gone)
        const slots = Int32Array.of(0)
        state.fold(other, slots, slots, 1)
        state.unfold?.(other, slots, slots, 1)
        assert.deepEqual(bytesOf(state), before)
      }
    }),
  )
})

test('the top values count exactly until a group has too many at the end of an epoch, and say so from then on', () => {
  const aggregator = topK({ field: page, columnIndex: 0, k: 2, seed: 1, valuesMax: 3 })
  const rows = ['a', 'b', 'c', 'd', 'c', 'd', 'd', 'b'].map((one) => ({ page: one }))
  const state = fed(aggregator, rows.slice(0, 3))
  assert.equal(aggregator.forget?.([state]), false)
  assert.equal(topOf(state), '[{"value":"a","count":1},{"value":"b","count":1}]')
  feed(aggregator, state, rows.slice(3))
  assert.equal(topOf(state), '[{"value":"d","count":3},{"value":"b","count":2}]')
  assert.equal(aggregator.forget?.([state]), true)
  const marked = '[{"value":"d","count":3,"approximate":true},{"value":"b","count":2,"approximate":true}]'
  assert.equal(topOf(state), marked)
  const again = aggregator.newState()
  again.merge(Int32Array.of(0), 1, new ByteReader(bytesOf(state), 'state'))
  assert.equal(topOf(again), marked)
  feed(aggregator, again, [{ page: 'a' }, { page: 'a' }, { page: 'a' }, { page: 'a' }])
  assert.match(String(topOf(again)), /^\[\{"value":"a","count":4,/, 'what was cut off began anew')
  again.clear(0)
  assert.equal(topOf(again), '[]')
})

test('of equal counts, the cut keeps the values that come first by their bytes', () => {
  const aggregator = topK({ field: page, columnIndex: 0, k: 9, seed: 1, valuesMax: 2 })
  for (const order of [
    ['ü', 'b', 'a'],
    ['a', 'ü', 'b'],
  ]) {
    const state = fed(
      aggregator,
      order.map((one) => ({ page: one })),
    )
    aggregator.forget?.([state])
    const kept = JSON.parse(String(topOf(state))) as { value: string }[]
    assert.deepEqual(
      kept.map(({ value }) => value),
      ['a', 'b'],
    )
  }
})

type Rows = readonly { readonly page?: string | null; readonly x?: number | null }[]

function fed(aggregator: Aggregator, rows: Rows): AggregateState {
  const state = aggregator.newState()
  state.grow(1)
  feed(aggregator, state, rows)
  return state
}

function feed(aggregator: Aggregator, state: AggregateState, rows: Rows): void {
  const batch = decoded(rows)
  const selected = Int32Array.from(rows.keys())
  aggregator.begin(batch, selected, rows.length, 0)
  state.update(selected, new Int32Array(rows.length), rows.length)
}

function topOf(state: AggregateState): unknown {
  return resultOf(state, 'json')
}

function quantileOf(state: AggregateState): unknown {
  return resultOf(state, 'float64')
}

function resultOf(state: AggregateState, type: 'json' | 'float64'): unknown {
  const to = new ColumnBuilder({ name: 'r', type, required: false })
  state.result(0, to)
  return cellValue(to.finish(), to.field, 0)
}

function bytesOf(state: AggregateState): Uint8Array {
  const writer = new ByteWriter()
  state.write(Int32Array.of(0), 1, writer)
  return writer.finish()
}

function decoded(rows: Rows): Batch {
  const decoder = createScalarDecoder({ fields, knownMembers: new Set(), hashSeed: 7, dictionaryEntriesMax: 1_000 })
  return decoder.decode(encoded(rows, 0))
}
