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
        if (validUtf8(new DataView(bytes.buffer), 0, length) !== isUtf8(bytes.subarray(0, length)))
          assert.fail(`${bytes.subarray(0, length)}`)
      }
    }
  }
})

test('looks at nothing before the start or behind the end', () => {
  const view = new DataView(Uint8Array.of(0xc3, 0xa9, 0xc3, 0xa9).buffer)
  assert.equal(validUtf8(view, 0, 4), true)
  assert.equal(validUtf8(view, 2, 4), true)
  assert.equal(validUtf8(view, 1, 4), false)
  assert.equal(validUtf8(view, 0, 3), false)
  assert.equal(validUtf8(view, 1, 1), true)
})

test('finds what is wrong at any place of a longer text', () => {
  for (let length = 1; length < 20; length++) {
    const bytes = new Uint8Array(length).fill(0x61)
    assert.equal(validUtf8(new DataView(bytes.buffer), 0, length), true)
    for (let at = 0; at < length; at++) {
      const broken = bytes.with(at, 0x80)
      assert.equal(validUtf8(new DataView(broken.buffer), 0, length), false)
      assert.equal(validUtf8(new DataView(broken.buffer), at + 1, length), true)
      assert.equal(validUtf8(new DataView(broken.buffer), 0, at), true)
    }
  }
})
