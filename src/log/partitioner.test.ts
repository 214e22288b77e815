import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeText } from '../base/bytes.ts'
import { murmur2, Partitioner } from './partitioner.ts'

test("keys are hashed as Kafka's own tests say", () => {
  const cases = {
    '21': -973932308,
    foobar: -790332482,
    'a-little-bit-long-string': -985981536,
    'a-little-bit-longer-string': -1486304829,
    lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
    abc: 479470107,
  }
  for (const [key, hash] of Object.entries(cases)) assert.equal(murmur2(encodeText(key)), hash)
})

test('a key always goes to the same partition, whatever the sign of its hash', () => {
  const partitioner = new Partitioner(7)
  assert.equal(partitioner.partitionOf(encodeText('abc')), 479470107 % 7)
  partitioner.turn()
  assert.equal(partitioner.partitionOf(encodeText('21')), (-973932308 & 0x7fffffff) % 7)
})

test('records without a key stay on a partition until the batch is sent, then go round', () => {
  const partitioner = new Partitioner(3)
  const visited: number[] = []
  for (let batch = 0; batch < 5; batch++) {
    visited.push(partitioner.partitionOf(null), partitioner.partitionOf(null))
    partitioner.turn()
  }
  assert.deepEqual(visited, [0, 0, 1, 1, 2, 2, 0, 0, 1, 1])
})
