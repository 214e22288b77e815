import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { Allocate } from './lz4.ts'
import { BATCH_HEADER_BYTES, recordsOf, type StoredBatch, walkBatches } from './record-batch.ts'

/** A transaction that was given up: its records count from its first offset on as never written. */
export interface AbortedRange {
  readonly producerId: bigint
  readonly firstOffset: number
}

/**
 * What a reader of committed records sees of record batches that follow each other (KIP-98): records of aborted transactions and the markers
 * of transactions are left out. `aborted` lists all transactions with records in these bytes that were aborted. Where nothing can be seen
 * up to the end of the last batch, an empty piece says how far that goes. Each batch is verified; throws `corrupt-data` that names `what`.
 * What is compressed may be unpacked into memory that `allocate` gives.
 */
export function* committedRecords(
  bytes: Uint8Array,
  aborted: readonly AbortedRange[],
  what: string,
  allocate?: Allocate,
): Generator<EncodedRecords> {
  const waiting = aborted.toSorted((left, right) => left.firstOffset - right.firstOffset)
  const open = new Set<bigint>()
  let next = 0
  let hidden: { from: number; to: number } | undefined
  for (const batch of walkBatches(bytes, what)) {
    const { attributes, baseOffset, endOffset } = batch.header
    for (; next < waiting.length && waiting[next].firstOffset < endOffset; next++) open.add(waiting[next].producerId)
    let records: EncodedRecords | undefined
    if ((attributes & CONTROL) !== 0) {
      if (isAbortMarker(batch.bytes)) open.delete(producerIdOf(batch))
    } else if ((attributes & TRANSACTIONAL) === 0 || !open.has(producerIdOf(batch))) {
      records = recordsOf(batch, what, allocate)
    }
    if (records) yield records
    hidden = records ? undefined : { from: hidden?.from ?? baseOffset, to: endOffset }
  }
  if (hidden) yield noRecords(hidden.from, hidden.to)
}

/** Whose transaction a batch is part of, or ends; undefined when it is part of none. */
export function transactionOf(
  batch: StoredBatch,
): { readonly producerId: bigint; readonly ends?: 'commit' | 'abort' } | undefined {
  const { attributes } = batch.header
  const producerId = producerIdOf(batch)
  if ((attributes & CONTROL) !== 0) return { producerId, ends: isAbortMarker(batch.bytes) ? 'abort' : 'commit' }
  return (attributes & TRANSACTIONAL) === 0 ? undefined : { producerId }
}

/** Offsets that hold nothing to be seen. */
export function noRecords(baseOffset: number, endOffset: number): EncodedRecords {
  return { framing: 'records', bytes: new Uint8Array(0), baseOffset, endOffset, recordCount: 0, baseTimestamp: 0 }
}

const TRANSACTIONAL = 0x10
const CONTROL = 0x20
const PRODUCER_ID_AT = 43

function producerIdOf({ bytes }: StoredBatch): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigInt64(PRODUCER_ID_AT)
}

/** A marker is a batch of one record with the key { version i16, type i16 }; type 0 aborts, 1 commits. */
function isAbortMarker(bytes: Uint8Array): boolean {
  let at = BATCH_HEADER_BYTES
  const skipVarint = (): void => {
    while (bytes[at++] >= 0x80);
  }
  skipVarint() // length
  at++ // attributes
  skipVarint() // timestamp
  skipVarint() // offset
  skipVarint() // length of the key
  return bytes[at + 2] === 0 && bytes[at + 3] === 0
}
