import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../base/random.ts'
import { COPY_SLACK_BYTES, TextFragments } from './text-fragments.ts'

test('fragments of every length come out as they went in, one behind the other, at any position', () => {
  const random = new Random(1)
  // DEL and the last code points come nearest to what would be no number.
  const characters = ['x', '\x7f', '\x00', 'ß', '東', '\u{1f600}', '\u{10ffff}']
  const texts = Array.from({ length: 500 }, (_, index) =>
    Array.from({ length: index % 40 }, () => random.pick(characters)).join(''),
  )
  const fragments = new TextFragments()
  const first = fragments.add(texts)
  const target = Buffer.alloc(100_000)
  const view = new DataView(target.buffer, target.byteOffset, target.length)
  let at = 3
  let expected = ''
  for (let count = 0; count < 800; count++) {
    const index = random.below(texts.length)
    const start = at
    at = fragments.write(first + index, view, start)
    expected += texts[index]
    assert.equal(at - start, Buffer.byteLength(texts[index]))
    assert.equal(at - start, fragments.length(first + index))
  }
  assert.ok(at + COPY_SLACK_BYTES < target.length)
  assert.equal(target.toString('utf8', 3, at), expected)
})

test('eight bytes that are no text, and that a double would not keep, are refused', () => {
  const fragments = new TextFragments()
  assert.throws(() => fragments.addBytes(Uint8Array.of(1, 2, 3, 4, 5, 6, 0xf8, 0x7f)), /a fragment is UTF-8/)
})
