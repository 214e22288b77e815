import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteReader, ByteWriter, encodeText } from '../base/bytes.ts'
import { OneHot } from './one-hot.ts'

test('texts that differ in a byte order mark only have slots of their own, after a restart too', () => {
  const texts = ['\uFEFFmobile', 'mobile', '', '\uFEFF', '\u{1F6D2}', 'a\0b'].map(encodeText)
  const before = new OneHot(8)
  const slots = texts.map((text) => before.slot(text))
  assert.deepEqual(slots, [0, 1, 2, 3, 4, 5])
  const writer = new ByteWriter(64)
  before.write(writer)
  const after = new OneHot(8)
  after.restore(new ByteReader(writer.finish(), 'texts'))
  assert.deepEqual(
    texts.map((text) => after.slot(text)),
    slots,
  )
  assert.deepEqual(after.names(), before.names())
  assert.equal(after.names()[0], '\uFEFFmobile')
})
