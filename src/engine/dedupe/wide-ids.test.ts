import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeText } from '../../base/bytes.ts'
import type { Batch } from '../../batch/batch.ts'
import type { Field } from '../../batch/schema.ts'
import { ColumnBuilder } from '../column-builder.ts'
import { ID_WORDS, WideIds } from './wide-ids.ts'

const UUID = '0e2f5c5a-3f0e-4f4e-9d1a-6c1c7f7f0a01'
const FIELD: Field = { name: 'id', type: 'string', cardinality: 'unique', required: false }

test('a UUID as text is its bits', () => {
  assert.deepEqual(ids([UUID]), [[0x0e2f5c5a, 0x3f0e4f4e, 0x9d1a6c1c | 0, 0x7f7f0a01]])
})

test('texts that differ anywhere have different ids, whether they are UUIDs or nearly', () => {
  const texts = [
    UUID,
    UUID.toUpperCase(),
    UUID.replaceAll('-', '_'),
    UUID.replace('0e2f', '0g2f'),
    UUID.slice(1),
    `${UUID}0`,
  ]
  for (let at = 0; at < UUID.length; at++) {
    if (UUID[at] !== '-') texts.push(UUID.slice(0, at) + (UUID[at] === '7' ? '8' : '7') + UUID.slice(at + 1))
  }
  const different = new Set(texts)
  assert.equal(new Set(ids([...different]).map(String)).size, different.size)
})

test('null has no id', () => {
  const reader = new WideIds(0, [1, 2])
  reader.read(batchOf([null, UUID]), Int32Array.of(0, 1), 2)
  assert.deepEqual([...reader.nulls.subarray(0, 2)], [1, 0])
})

function ids(texts: readonly string[]): number[][] {
  const reader = new WideIds(0, [1, 2])
  reader.read(batchOf(texts), Int32Array.from(texts.keys()), texts.length)
  return texts.map((_, index) => [...reader.words.subarray(index * ID_WORDS, (index + 1) * ID_WORDS)])
}

function batchOf(texts: readonly (string | null)[]): Batch {
  const builder = new ColumnBuilder(FIELD)
  for (const text of texts) {
    if (text === null) builder.null()
    else builder.bytes(encodeText(text))
  }
  const rowCount = texts.length
  return {
    fields: [FIELD],
    columns: [builder.finish()],
    rowCount,
    status: new Uint8Array(rowCount),
    error: new Uint8Array(rowCount),
    errorField: new Uint8Array(rowCount),
    offsets: new Float64Array(rowCount),
    recordTimes: new Float64Array(rowCount),
    bytes: new Uint8Array(0),
    valueStarts: new Int32Array(rowCount),
    valueLengths: new Int32Array(rowCount),
    duplicateMembers: 0,
  }
}
