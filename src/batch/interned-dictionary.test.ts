import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../base/random.ts'
import { DICTIONARY_BYTES_MAX, InternedDictionary } from './interned-dictionary.ts'

function intern(dictionary: InternedDictionary, text: string): number {
  const bytes = Buffer.from(text)
  return dictionary.intern(bytes, 0, bytes.length)
}

test('gives equal values equal codes, dense from 0 in the order of their first coming, through many growths', () => {
  const dictionary = new InternedDictionary(1)
  const random = new Random(2)
  const codes = new Map<string, number>()
  for (let count = 0; count < 60_000; count++) {
    const text = `${'x'.repeat(random.below(9))}${random.below(20_000)}`
    const expected = codes.get(text) ?? codes.size
    codes.set(text, expected)
    assert.equal(intern(dictionary, text), expected)
  }
  assert.equal(dictionary.size, codes.size)
  for (const [text, code] of codes) {
    assert.equal(dictionary.text(code), text)
    assert.equal(Buffer.from(dictionary.bytes(code)).toString(), text)
  }
})

test('finds a value at any moment between two growths', () => {
  const dictionary = new InternedDictionary(1)
  for (let count = 0; count < 3_000; count++) {
    intern(dictionary, `value ${count}`)
    for (const known of [0, count >> 1, count]) assert.equal(intern(dictionary, `value ${known}`), known)
  }
})

test('tells values apart that differ in one bit, in length, or in zero bytes at the end', () => {
  const dictionary = new InternedDictionary(3)
  const values = [
    '',
    '\0',
    '\0\0',
    '\0\0\0\0',
    'abc',
    'abc\0',
    'abcd',
    'abcde',
    'abcdefg',
    'abcdefgh',
    'abcdefgi',
    'bbcdefgh',
  ]
  assert.deepEqual(
    values.map((value) => intern(dictionary, value)),
    values.map((_, code) => code),
  )
  assert.deepEqual(
    values.map((value) => intern(dictionary, value)),
    values.map((_, code) => code),
  )
})

test('reads no byte of what stands behind a value', () => {
  const dictionary = new InternedDictionary(4)
  const view = (text: string): DataView => {
    const bytes = new TextEncoder().encode(text)
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }
  for (let length = 0; length < 9; length++) {
    const value = 'abcdefgh'.slice(0, length)
    assert.equal(dictionary.internAt(view(`..${value}XYZ`), 2, length), length)
    assert.equal(dictionary.internAt(view(`${value}\0\xff}{`), 0, length), length)
    assert.equal(dictionary.findAt(view(`${value}""""`), 0, length), length)
  }
})

test('finding adds nothing', () => {
  const dictionary = new InternedDictionary(5)
  intern(dictionary, 'here')
  assert.equal(dictionary.find(Buffer.from('..here..'), 2, 6), 0)
  assert.equal(dictionary.find(Buffer.from('not here'), 0, 8), -1)
  assert.equal(dictionary.size, 1)
})

test('keeps long values, and text that begins with a byte order mark, whole', () => {
  const dictionary = new InternedDictionary(6)
  const texts = ['\ufeffmark', 'y'.repeat(20_000), 'z'.repeat((1 << 20) - 8), 'é'.repeat(40_000), 'short']
  for (const [code, text] of texts.entries()) assert.equal(intern(dictionary, text), code)
  for (const [code, text] of texts.entries()) assert.equal(dictionary.text(code), text)
})

test('is full at its number of entries, or at its bytes', () => {
  const dictionary = new InternedDictionary(7)
  intern(dictionary, 'a')
  assert.deepEqual([dictionary.full(2), dictionary.full(1)], [false, true])
  const large = Buffer.alloc(1 << 19)
  for (let count = 0; count * large.length < DICTIONARY_BYTES_MAX; count++) {
    assert.equal(dictionary.full(1_000), false)
    large.writeInt32LE(count)
    dictionary.intern(large, 0, large.length)
  }
  assert.equal(dictionary.full(1_000), true)
})

test('another seed spreads the same values differently, so that collisions cannot be prepared', () => {
  // Values that differ only in the highest bits of two words: a hash with a fixed first step lets those cancel out.
  const pairs = Array.from({ length: 4_096 }, (_, index) => {
    const bytes = Buffer.alloc(96)
    for (let bit = 0; bit < 12; bit++) {
      if ((index >> bit) % 2 === 0) continue
      bytes[8 * bit + 3] = 0x80
      bytes[8 * bit + 7] = 0x80
      bytes[8 * bit + 5] = 0x80
    }
    return bytes
  })
  for (const seed of [1, 2, 3]) {
    const dictionary = new InternedDictionary(seed)
    for (const bytes of pairs) dictionary.intern(bytes, 0, bytes.length)
    assert.equal(dictionary.size, pairs.length)
    assert.ok(dictionary.longestProbe() < 200, `seed ${seed}: ${dictionary.longestProbe()} slots`)
  }
})
