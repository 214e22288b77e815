import { encodeText } from '../../src/base/bytes.ts'
import type { Batch } from '../../src/batch/batch.ts'
import { createScalarDecoder } from '../../src/batch/scalar-decoder.ts'
import { type EveryTypeRow, everyType } from './random-expressions.ts'

/** Few, so that even short tests see new generations of dictionaries. */
const DICTIONARY_ENTRIES_MAX = 6

/** What a visitor sees of rows of `everyType` as a decoder gives them, so many to a batch, all in one list. */
export function fromBatches<T>(
  rows: readonly EveryTypeRow[],
  batchRows: number,
  visit: (batch: Batch) => readonly T[],
): T[] {
  const decoder = createScalarDecoder({
    fields: everyType.fields,
    knownMembers: new Set(everyType.fields.map(({ name }) => name)),
    hashSeed: 1,
    dictionaryEntriesMax: DICTIONARY_ENTRIES_MAX,
  })
  const seen: T[] = []
  for (let from = 0; from < rows.length; from += batchRows) {
    const part = rows.slice(from, from + batchRows)
    const batch = decoder.decode({
      framing: 'newline',
      bytes: encodeText(part.map((row) => `${JSON.stringify(row)}\n`).join('')),
      baseOffset: from,
      endOffset: from + part.length,
      recordCount: part.length,
      baseTimestamp: Number.NaN,
    })
    seen.push(...visit(batch))
  }
  return seen
}
