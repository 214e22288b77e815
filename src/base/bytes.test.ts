import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteReader, ByteWriter, compareBytes, encodeText } from './bytes.ts'
import { MillraceError } from './error.ts'

test('what is written is read back, however small the buffer begins', () => {
  const writer = new ByteWriter(1)
  for (let round = 0; round < 100; round++) {
    writer.u8(round)
    writer.u32(4_000_000_000 + round)
    writer.f64(-0)
    writer.varint(2 ** 53 - 1 - round)
    writer.bytes(new Uint8Array(round).fill(round))
    writer.text(`ü${round}`)
  }
  const reader = new ByteReader(writer.finish(), 'test')
  for (let round = 0; round < 100; round++) {
    assert.equal(reader.u8(), round)
    assert.equal(reader.u32(), 4_000_000_000 + round)
    assert.ok(Object.is(reader.f64(), -0))
    assert.equal(reader.varint(), 2 ** 53 - 1 - round)
    assert.deepEqual(reader.bytes(), new Uint8Array(round).fill(round))
    assert.equal(reader.text(), `ü${round}`)
  }
  assert.equal(reader.remaining, 0)
})

test('a text keeps its byte order mark', () => {
  const writer = new ByteWriter(16)
  writer.text('\uFEFFa')
  assert.equal(new ByteReader(writer.finish(), 'test').text(), '\uFEFFa')
})

test('reading past the end, and text that is none, are damage that names its place', () => {
  assert.throws(() => new ByteReader(Uint8Array.of(5, 1), 'thing').bytes(), {
    code: 'corrupt-data',
    message: /thing is damaged at byte 1/,
  })
  assert.throws(() => new ByteReader(Uint8Array.of(1, 0xff), 'thing').text(), MillraceError)
  assert.throws(() => new ByteReader(new Uint8Array(9).fill(0xff), 'thing').varint(), MillraceError)
})

test('byte strings are ordered as code points are', () => {
  const texts = ['', 'a', 'ab', 'b', 'é', '中', '😀']
  const sorted = [...texts].reverse().sort((left, right) => compareBytes(encodeText(left), encodeText(right)))
  assert.deepEqual(sorted, texts)
})
