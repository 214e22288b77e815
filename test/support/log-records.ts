import assert from 'node:assert/strict'
import { encodeText } from '../../src/base/bytes.ts'
import { VirtualClock } from '../../src/base/clock.ts'
import type { LockFile } from '../../src/base/lock-file.ts'
import type { EncodedRecords } from '../../src/batch/encoded-records.ts'
import type { Log, RecordBatchDraft } from '../../src/log/log.ts'
import { RecordBatchBuilder } from '../../src/log/record-batch-builder.ts'

/** A batch of records without keys, all of one time. */
export function draftOf(...values: string[]): RecordBatchDraft {
  const builder = new RecordBatchBuilder(16)
  for (const value of values) builder.add(null, encodeText(value), 500)
  return builder.finish()
}

/** Values of records, read one at a time and apart from the decoder. */
export function valuesIn({ bytes, recordCount }: EncodedRecords): string[] {
  const values: string[] = []
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
  }
  for (let index = 0; index < recordCount; index++) {
    const end = varint() + at
    at++
    varint()
    assert.equal(varint(), index)
    const keyBytes = varint()
    at += Math.max(0, keyBytes)
    const length = varint()
    values.push(Buffer.from(bytes.subarray(at, at + length)).toString())
    at = end
  }
  assert.equal(at, bytes.length)
  return values
}

/** All values of a partition that can be read now, from its start, by offset. */
export async function readValues(
  log: Log,
  topic: string,
  partition: number,
  bytesMax = 1e6,
): Promise<Map<number, string>> {
  const { start, end } = await log.offsets(topic, partition)
  const found = new Map<number, string>()
  for (let offset = start; offset < end; ) {
    const batches = await log.read(topic, partition, offset, bytesMax)
    for (const batch of batches) {
      assert.equal(batch.baseOffset, offset, 'batches follow each other')
      for (const value of valuesIn(batch)) found.set(offset++, value)
      assert.equal(batch.endOffset, offset)
    }
  }
  return found
}

/** A clock that only the test moves: sleeping takes no time. */
export class StandingClock extends VirtualClock {
  override async sleep(): Promise<void> {
    await Promise.resolve()
  }
}

/** For logs in memory, which no other process can reach. */
export async function noLock(): Promise<LockFile> {
  return { held: async () => true, release: async () => {} }
}
