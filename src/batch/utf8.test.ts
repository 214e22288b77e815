import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { test } from 'node:test'
import { validUtf8 } from './utf8.ts'

test('judges every lead byte, with all the edges of what may follow, as the platform does', () => {
  const edges = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]
  for (let lead = 0; lead < 256; lead++) {
    for (let index = 0; index < edges.length ** 3; index++) {
      const rest = [index, index / edges.length, index / edges.length ** 2].map(
        (one) => edges[Math.floor(one) % edges.length] ?? 0,
      )
      const bytes = Uint8Array.of(lead, ...rest)
      for (let length = 1; length <= 4; length++) {
        if (validUtf8(bytes, 0, length) !== isUtf8(bytes.subarray(0, length)))
          assert.fail(`${bytes.subarray(0, length)}`)
      }
    }
  }
})

test('looks at nothing before the start or behind the end', () => {
  const bytes = Uint8Array.of(0xc3, 0xa9, 0xc3, 0xa9)
  assert.equal(validUtf8(bytes, 0, 4), true)
  assert.equal(validUtf8(bytes, 2, 4), true)
  assert.equal(validUtf8(bytes, 1, 4), false)
  assert.equal(validUtf8(bytes, 0, 3), false)
  assert.equal(validUtf8(bytes, 1, 1), true)
})
