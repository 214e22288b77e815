import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ResultBatch } from '../batch/result-batch.ts'
import { resultHash } from './result-hash.ts'

test('nulls are alike, whatever the bits of their NaN', () => {
  const hashOf = (null1: bigint, null2: bigint): string => {
    const bits = BigUint64Array.of(0x3ff0000000000000n, null1, null2)
    return resultHash(batchOf(new Float64Array(bits.buffer)))
  }
  assert.equal(hashOf(0xffffffffffffffffn, 0x7ff8000000000000n), hashOf(0x7ff8000000000000n, 0xfff8000000000001n))
})

test('other values, and a null elsewhere, are another hash', () => {
  const hashes = [[1, Number.NaN], [Number.NaN, 1], [1, 2], [1]].map((values) =>
    resultHash(batchOf(Float64Array.from(values))),
  )
  assert.equal(new Set(hashes).size, hashes.length)
})

function batchOf(values: Float64Array): ResultBatch {
  return {
    fields: [{ name: 'amount', type: 'decimal', required: false, scale: 2 }],
    columns: [{ kind: 'number', values }],
    rowCount: values.length,
  }
}
