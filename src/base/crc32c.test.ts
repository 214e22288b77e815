import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeText } from './bytes.ts'
import { crc32c, portableCrc32c } from './crc32c.ts'
import { Random } from './random.ts'

test('the check value and the vectors of RFC 3720 come out', () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, index) => index)
  const vectors: [Uint8Array, number][] = [
    [encodeText('123456789'), 0xe3069283],
    [new Uint8Array(0), 0],
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [ascending, 0x46dd794e],
    [ascending.toReversed(), 0x113fdb5c],
  ]
  for (const [bytes, expected] of vectors) {
    assert.equal(crc32c(bytes), expected)
    assert.equal(portableCrc32c(bytes), expected)
  }
})

test('binary, loop and a bit-by-bit oracle agree on every length, alignment and starting value', () => {
  const random = new Random(1)
  const pool = Uint8Array.from({ length: 700 }, () => random.below(256))
  for (let length = 0; length < 600; length++) {
    const bytes = pool.subarray(length % 8, (length % 8) + length)
    const initial = length % 3 === 0 ? 0 : random.uint32()
    const expected = bitwiseCrc32c(bytes, initial)
    assert.equal(crc32c(bytes, initial), expected)
    assert.equal(portableCrc32c(bytes, initial), expected)
  }
})

test('the checksum of a whole is that of its second part begun with that of its first', () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index * 7)
  for (const cut of [0, 1, 13, 200, 999, 1000]) {
    assert.equal(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut))), crc32c(bytes))
  }
})

function bitwiseCrc32c(bytes: Uint8Array, initial: number): number {
  let crc = ~initial
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  return ~crc >>> 0
}
