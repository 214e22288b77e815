import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../../src/base/random.ts'
import type { EncodedRecords } from '../../src/batch/encoded-records.ts'
import type { Decoder } from '../../src/batch/json-decoder.ts'
import { createScalarDecoder } from '../../src/batch/scalar-decoder.ts'
import { createWasmDecoder } from '../../src/batch/wasm-decoder.ts'
import {
  DECODERS,
  decoderOptions,
  EVERY_TYPE,
  kafkaRecords,
  newlineRecords,
  readRows,
} from '../support/decoder-cases.ts'
import { DECODER_MODULE } from '../support/decoder-module.ts'
import { fieldCases } from '../support/field-cases.ts'
import { ACCEPTED, documentBytes, NOT_UTF8, REFUSED } from '../support/json-suite.ts'
import { assertSameBatch } from '../support/same-batch.ts'

const FULL = process.env['MILLRACE_TEST_SCALE'] === 'full'
/** Compared with the oracle, and between the two fast decoders only. */
const ROWS = FULL ? 1_000_000 : 10_000
const FAST_ROWS = FULL ? 20_000_000 : 500_000
const SEED = Number(process.env['MILLRACE_TEST_SEED'] ?? 1)
const ROWS_PER_BATCH = 50
const FAST_ROWS_PER_BATCH = 1000

const TEMPLATE =
  '{"s":"page","u":"id-\\u00e9","id":"0123abcd-ef45-6789-abcd-ef0123456789","t":"2026-11-24T10:00:00.123Z","ms":1764000000000,"d":12.345,"f":1.5e3,"l":-90,"i":5,"b":true,"raw":{"a":[1,{}]},"x":"é"}'

/** Small dictionaries, so that generations come and go while it runs. */
function decoders(): Decoder[] {
  return DECODERS.map(({ create }) => create(decoderOptions(EVERY_TYPE, { dictionaryEntriesMax: 40 })))
}

/** Fails with the first row on which the decoders do not agree. */
function assertAgreed(all: readonly Decoder[], records: EncodedRecords, what: string): void {
  const [first, ...others] = all.map((decoder) => {
    const batch = decoder.decode(records)
    return { rows: readRows(batch), duplicates: batch.duplicateMembers }
  })
  for (const other of others) {
    for (const [index, row] of (first?.rows ?? []).entries()) {
      assert.deepEqual(row, other.rows[index], `${what}, row ${index}: ${JSON.stringify(row.value)}`)
    }
    assert.equal(first?.rows.length, other.rows.length, what)
    assert.equal(first?.duplicates, other.duplicates, what)
  }
}

function lines(rows: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(rows.flatMap((row) => [row, Buffer.of(10)]))
}

test('decoders agree on a row with any character put in or replaced at any place, right after the row as it was', () => {
  const all = decoders()
  const template = Buffer.from(TEMPLATE)
  for (const character of [...'{}[]",:\\u0-.e n\t\r\n\0', '\u007f', '\u00e9', '\ud83d\ude00']) {
    const bytes = Buffer.from(character)
    const rows: Uint8Array[] = []
    for (let at = 0; at <= template.length; at++) {
      const head = template.subarray(0, at)
      rows.push(template, Buffer.concat([head, bytes, template.subarray(at)]), template)
      rows.push(Buffer.concat([head, bytes, template.subarray(at + 1)]))
    }
    const what = `character ${JSON.stringify(character)}`
    assertAgreed(all, newlineRecords(lines(rows)), `${what}, lines`)
    assertAgreed(all, kafkaRecords(rows), `${what}, records`)
  }
})

test(`decoders agree on ${ROWS} damaged rows in each framing`, () => {
  const all = decoders()
  const random = new Random(SEED)
  const corpus = seedRows()
  for (let count = 0; count < ROWS; count += ROWS_PER_BATCH) {
    const rows = Array.from({ length: ROWS_PER_BATCH }, () => damaged(corpus, random))
    const what = `MILLRACE_TEST_SEED=${SEED}, batch ${count / ROWS_PER_BATCH}`
    assertAgreed(all, newlineRecords(lines(rows).subarray(0, random.chance(0.1) ? -2 : undefined)), `${what}, lines`)
    assertAgreed(all, kafkaRecords(rows), `${what}, records`)
  }
})

test(`the scalar and the WebAssembly decoder agree on ${FAST_ROWS} damaged rows`, () => {
  const options = decoderOptions(EVERY_TYPE, { dictionaryEntriesMax: 3_000 })
  const scalar = createScalarDecoder(options)
  const wasm = createWasmDecoder(options, DECODER_MODULE)
  const random = new Random(SEED)
  const corpus = seedRows()
  for (let count = 0; count < FAST_ROWS; count += FAST_ROWS_PER_BATCH) {
    const rows = Array.from({ length: FAST_ROWS_PER_BATCH }, () => damaged(corpus, random))
    const framed = random.chance(0.5) ? newlineRecords(lines(rows)) : kafkaRecords(rows)
    const what = `MILLRACE_TEST_SEED=${SEED}, batch ${count / FAST_ROWS_PER_BATCH}`
    assertSameBatch(scalar.decode(framed), wasm.decode(framed), what)
  }
})

test('decoders agree on record sections with damaged framing', () => {
  const all = decoders()
  const random = new Random(SEED)
  const corpus = seedRows()
  for (let count = 0; count < ROWS / 4; count += 5) {
    const whole = kafkaRecords(
      Array.from({ length: 5 }, () => random.pick(corpus)),
      1000,
    )
    const bytes = Buffer.from(damagedBytes(whole.bytes, corpus, random))
    assertAgreed(all, { ...whole, bytes }, `MILLRACE_TEST_SEED=${SEED}, section ${count / 5}`)
  }
})

/** Rows to start from: what the contract's tables hold, and several members in one row, in changing orders and spellings. */
function seedRows(): Uint8Array[] {
  const random = new Random(7)
  const members = fieldCases().map(([member]) => member)
  const extras = ['"x":[{"y":null}]', '"other":"z"', '"\\u0073":"esc"', '"e":"\u{1f600}"', '"__proto__":1']
  const suite = [...ACCEPTED, ...REFUSED, ...NOT_UTF8].map(documentBytes).filter((bytes) => bytes.length < 1_000)
  const mixed = Array.from({ length: 400 }, () => {
    const chosen = Array.from({ length: 1 + random.below(8) }, () => random.pick(random.chance(0.3) ? extras : members))
    const [comma, colon] = random.chance(0.3) ? [', ', ': '] : [',', ':']
    return Buffer.from(`{${chosen.map((member) => member.replace(':', colon)).join(comma)}}`)
  })
  return [...suite, ...mixed, ...Array.from({ length: 100 }, () => Buffer.from(TEMPLATE))]
}

function damaged(corpus: readonly Uint8Array[], random: Random): Uint8Array {
  let row = random.pick(corpus)
  for (let count = random.below(4); count > 0; count--) row = damagedBytes(row, corpus, random)
  return row
}

const TELLING = Buffer.from('{}[]",:\\u0019.-+eEnt \t\r\n\0')
const BAD_UTF8: readonly Buffer[] = ['80', 'ff', 'c0af', 'eda080', 'f4908080', 'e282', 'c3', 'efbbbf'].map((hex) =>
  Buffer.from(hex, 'hex'),
)

function damagedBytes(bytes: Uint8Array, corpus: readonly Uint8Array[], random: Random): Uint8Array {
  const at = random.below(bytes.length + 1)
  const head = bytes.subarray(0, at)
  const tail = bytes.subarray(at)
  const byte = random.chance(0.5) ? TELLING[random.below(TELLING.length)] : random.below(256)
  switch (random.below(8)) {
    case 0:
      return Buffer.concat([head, Buffer.of(byte), tail])
    case 1:
      return Buffer.concat([head, tail.subarray(1)])
    case 2:
      return Buffer.concat([head, Buffer.of(byte), tail.subarray(1)])
    case 3:
      return head
    case 4: {
      const other = random.pick(corpus)
      return Buffer.concat([head, other.subarray(random.below(other.length + 1))])
    }
    case 5:
      return Buffer.concat([head, random.pick(BAD_UTF8), tail])
    case 6:
      return Buffer.concat([head, tail.subarray(0, random.below(20)), tail])
    default:
      return Buffer.concat([head, Buffer.of((tail[0] ?? 0) ^ (1 << random.below(8))), tail.subarray(1)])
  }
}
