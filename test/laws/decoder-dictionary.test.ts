import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Dictionary } from '../../src/batch/dictionary.ts'
import type { Decoder } from '../../src/batch/json-decoder.ts'
import { type Cardinality, defineSchema, text } from '../../src/batch/schema.ts'
import { DECODERS, decoderOptions, newlineRecords } from '../support/decoder-cases.ts'

const VALUES_PER_BATCH = 2_000
const BATCHES = 40

/** Values of many lengths around 16, 32 and 64 bytes, among them some that differ only at one end or by a NUL. */
function value(index: number): string {
  const tail = 'x'.repeat(index % 71)
  if (index % 11 === 0) return `${tail}${index}`
  return index % 13 === 0 ? `${index}${'\0'.repeat(1 + (index % 3))}` : `${index}${tail}`
}

function codesOf(decoder: Decoder, values: readonly string[]): { codes: Int32Array; dictionary: Dictionary } {
  const lines = values.map((one) => `${JSON.stringify({ s: one })}\n`).join('')
  const batch = decoder.decode(newlineRecords(Buffer.from(lines)))
  const column = batch.columns[0]
  assert.equal(column?.kind, 'dictionary')
  return { codes: column.codes.slice(0, batch.rowCount), dictionary: column.dictionary }
}

function batchValues(batch: number): string[] {
  return Array.from({ length: VALUES_PER_BATCH }, (_, index) => value(batch * VALUES_PER_BATCH + index))
}

for (const { name, create } of DECODERS.filter((decoder) => decoder.name !== 'oracle')) {
  describe(`dictionaries of the ${name} decoder`, () => {
    for (const cardinality of ['low', 'high'] satisfies Cardinality[]) {
      test(`keep ${VALUES_PER_BATCH * BATCHES} values of ${cardinality} cardinality apart, each with its code for good`, () => {
        const schema = defineSchema({ s: text({ cardinality }) })
        const decoder = create(decoderOptions(schema, { dictionaryEntriesMax: 1 << 20 }))
        const first: Int32Array[] = []
        let dictionary: Dictionary | undefined
        for (let batch = 0; batch < BATCHES; batch++) {
          const found = codesOf(decoder, batchValues(batch))
          first.push(found.codes)
          dictionary ??= found.dictionary
          assert.equal(found.dictionary, dictionary)
        }
        const distinct = new Set(Array.from({ length: BATCHES }, (_, batch) => batchValues(batch)).flat())
        assert.equal(dictionary?.size, distinct.size)
        for (const [batch, codes] of first.entries()) {
          const values = batchValues(batch)
          assert.deepEqual(codesOf(decoder, values).codes, codes)
          for (const [row, code] of codes.entries()) assert.equal(dictionary?.text(code), values[row])
        }
      })
    }

    test('begin new generations again and again, and old ones keep their values', () => {
      const schema = defineSchema({ s: text({ cardinality: 'high' }) })
      const decoder = create(decoderOptions(schema, { dictionaryEntriesMax: 6_000 }))
      const generations = new Map<Dictionary, Map<number, string>>()
      for (let batch = 0; batch < BATCHES; batch++) {
        const values = batchValues(batch)
        const { codes, dictionary } = codesOf(decoder, values)
        const known = generations.get(dictionary) ?? new Map<number, string>()
        generations.set(dictionary, known)
        for (const [row, code] of codes.entries()) known.set(code, values[row] ?? '')
      }
      assert.ok(generations.size > 5)
      for (const [dictionary, known] of generations) {
        assert.equal(dictionary.size, known.size)
        for (const [code, text] of known) assert.equal(dictionary.text(code), text)
      }
    })
  })
}
