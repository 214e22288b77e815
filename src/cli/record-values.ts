import { createScalarDecoder } from '../batch/scalar-decoder.ts'
import type { Log } from '../log/log.ts'

/** A record as a person looks at it. */
export interface RecordValue {
  readonly offset: number
  readonly value: Uint8Array
}

/** The values of some records of a partition, one by one: for looking, not for computing. */
export async function* recordValues(
  log: Log,
  topic: string,
  partition: number,
  fromOffset: number,
  toOffset: number,
): AsyncGenerator<RecordValue> {
  const walker = createScalarDecoder({ fields: [], knownMembers: new Set(), hashSeed: 1, dictionaryEntriesMax: 1 })
  let position = fromOffset
  while (position < toOffset) {
    const batches = await log.read(topic, partition, position, 1 << 20)
    if (batches.length === 0) return
    for (const records of batches) {
      const batch = walker.decode(records, position, toOffset)
      for (let row = 0; row < batch.rowCount; row++) {
        const start = batch.valueStarts[row] as number
        const value = batch.bytes.subarray(start, start + (batch.valueLengths[row] as number))
        yield { offset: batch.offsets[row] as number, value }
      }
      position = Math.max(position, records.endOffset)
    }
  }
}
