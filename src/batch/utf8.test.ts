import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validUtf8 } from './utf8.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })

function accepted(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes)
    return true
  } catch {
    return false
  }
}

test('judges every sequence of up to three bytes, and the edges of four, as the platform does', () => {
  const edges = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]
  const leads = Array.from({ length: 256 }, (_, byte) => byte)
  for (const first of leads) {
    for (const second of first < 0xe0 ? leads : [...edges, ...leads]) {
      for (const third of edges) {
        for (const fourth of first < 0xf0 ? [0x41] : edges) {
          const bytes = Uint8Array.of(first, second, third, fourth)
          for (let length = 1; length <= 4; length++) {
            const part = bytes.subarray(0, length)
            const known = length < 4 && first < 0x80 && second < 0x80
            if (!known && validUtf8(bytes, 0, length) !== accepted(part)) assert.fail(`${part}`)
          }
        }
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
