import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeText } from './bytes.ts'
import { MillraceError } from './error.ts'
import { encodeRecord, scanRecords } from './record-file.ts'

const PAYLOADS = ['first', '', 'a third one that is longer', 'last']
const RECORDS = PAYLOADS.map((text, index) => encodeRecord(index + 1, encodeText(text)))
const FILE = Buffer.concat(RECORDS)
const LAST_AT = FILE.length - RECORDS[3].length

test('records come back in order with type, payload and position', () => {
  const scanned = scanRecords(FILE, 'journal-1')
  assert.deepEqual(
    scanned.records.map(({ type, payload }) => [type, Buffer.from(payload).toString()]),
    PAYLOADS.map((text, index) => [index + 1, text]),
  )
  assert.deepEqual(
    scanned.records.map((record) => record.position),
    [0, 14, 23, 58],
  )
  assert.equal(scanned.validLength, FILE.length)
  assert.equal(scanned.tornBytes, 0)
})

test('the layout is length, checksum, type, payload, little-endian', () => {
  assert.equal(Buffer.from(encodeRecord(7, encodeText('ab'))).toString('hex'), '03000000b8250864076162')
})

test('an empty file holds no records', () => {
  assert.deepEqual(scanRecords(new Uint8Array(0), 'journal-1'), { records: [], validLength: 0, tornBytes: 0 })
})

test('a last record cut off after any byte is left out', () => {
  for (let length = LAST_AT; length < FILE.length; length++) {
    const scanned = scanRecords(FILE.subarray(0, length), 'journal-1')
    assert.equal(scanned.records.length, 3)
    assert.equal(scanned.validLength, LAST_AT)
    assert.equal(scanned.tornBytes, length - LAST_AT)
  }
})

test('a last record with zeros where its bytes never arrived is left out', () => {
  for (let kept = 0; kept < FILE.length - LAST_AT; kept++) {
    const torn = Buffer.from(FILE)
    torn.fill(0, LAST_AT + kept)
    if (torn.equals(FILE)) continue
    assert.equal(scanRecords(torn, 'journal-1').validLength, LAST_AT)
  }
})

test('any flipped bit before the last record is corruption that names file and byte', () => {
  for (let bit = 0; bit < LAST_AT * 8; bit++) {
    const flipped = Buffer.from(FILE)
    flipped[bit >> 3] ^= 1 << (bit & 7)
    assert.throws(() => scanRecords(flipped, 'journal-1'), corruptAt([0, 14, 23].findLast((at) => at <= bit >> 3)))
  }
})

test('any flipped bit in the last record takes that record away and no other', () => {
  for (let bit = LAST_AT * 8; bit < FILE.length * 8; bit++) {
    const flipped = Buffer.from(FILE)
    flipped[bit >> 3] ^= 1 << (bit & 7)
    assert.equal(scanRecords(flipped, 'journal-1').validLength, LAST_AT)
  }
})

function corruptAt(position: number | undefined): (error: unknown) => boolean {
  return (error) =>
    error instanceof MillraceError &&
    error.code === 'corrupt-data' &&
    error.message.startsWith(`journal-1 is damaged: no valid record at byte ${position}, `)
}
