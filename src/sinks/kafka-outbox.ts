import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeText } from '../base/bytes.ts'
import { crc32c } from '../base/crc32c.ts'
import { createDirectory, writeDurableFile } from '../base/durable-file.ts'
import { MillraceError } from '../base/error.ts'
import { cellText, cellValue } from '../batch/cell.ts'
import { encodeJsonRows } from '../batch/json-encoder.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { RecordBatchDraft } from '../log/log.ts'
import { Partitioner } from '../log/partitioner.ts'
import { encodeHeaders, RecordBatchBuilder } from '../log/record-batch-builder.ts'
import type { PreparedFile } from './sink.ts'

/** Well below what a broker takes unless told otherwise, 1 MiB. */
const BATCH_BYTES = 200 << 10
const LINE_FEED = 10

/** A batch as it will be sent, and where to. */
export interface OutboxBatch {
  readonly partition: number
  readonly draft: RecordBatchDraft
}

/** How rows become records. */
export interface OutboxOptions {
  readonly partitions: number
  /** Index of the column that is the key. */
  readonly keyColumn: number | undefined
  readonly timestampMs: number
  /** Numbers the records in their headers, for readers that may see them twice. */
  readonly headersOf: ((row: number) => Readonly<Record<string, string>>) | undefined
}

/** Rows as record batches: the same for the same rows and options. */
export function outboxBatches(rows: ResultBatch, options: OutboxOptions): OutboxBatch[] {
  const json = encodeJsonRows(rows)
  const partitioner = new Partitioner(options.partitions)
  const builders = Array.from({ length: options.partitions }, () => new RecordBatchBuilder(16 << 10))
  const batches: OutboxBatch[] = []
  let start = 0
  for (let row = 0; row < rows.rowCount; row++) {
    const end = json.indexOf(LINE_FEED, start)
    const key = keyOf(rows, options.keyColumn, row)
    const partition = partitioner.partitionOf(key)
    const headers = options.headersOf && encodeHeaders(options.headersOf(row))
    const builder = builders[partition]
    builder.add(key, json.subarray(start, end), options.timestampMs, headers)
    start = end + 1
    if (builder.sizeBytes < BATCH_BYTES) continue
    batches.push({ partition, draft: builder.finish() })
    partitioner.turn()
  }
  for (const [partition, builder] of builders.entries()) {
    if (builder.recordCount > 0) batches.push({ partition, draft: builder.finish() })
  }
  return batches
}

/** Batches in one durable file: for each its partition, count, two times and length, as doubles, and the records. */
export async function writeOutbox(
  folder: string,
  path: string,
  rows: number,
  batches: readonly OutboxBatch[],
): Promise<PreparedFile> {
  const bytes = encodeOutbox(batches)
  await createDirectory(folder)
  await writeDurableFile(join(folder, path), bytes, { overwrite: true })
  return { path, rows, bytes: bytes.length, crc: crc32c(bytes) }
}

/** Reads what `writeOutbox` has written. Throws `data-loss` when it is not there, `corrupt-data` when it is not the same. */
export async function readOutbox(folder: string, { path, crc }: PreparedFile): Promise<OutboxBatch[]> {
  const file = join(folder, path)
  let bytes: Uint8Array
  try {
    bytes = new Uint8Array(await readFile(file))
  } catch (error) {
    throw new MillraceError('data-loss', `${file}, which holds rows that are to be sent to Kafka, cannot be read`, {
      hint: 'restore the checkpoint folder from a backup, or start over with another one and another topic',
      cause: error,
    })
  }
  if (crc32c(bytes) !== crc) {
    throw new MillraceError('corrupt-data', `${file} is damaged: its checksum does not fit its content`, {
      hint: 'restore the checkpoint folder from a backup, or start over with another one and another topic',
    })
  }
  return decodeOutbox(bytes)
}

const FIELDS = 5
const FIELD_BYTES = 8

function encodeOutbox(batches: readonly OutboxBatch[]): Uint8Array {
  const size = batches.reduce((sum, { draft }) => sum + FIELDS * FIELD_BYTES + draft.records.length, 0)
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const { partition, draft } of batches) {
    const { recordCount, baseTimestamp, maxTimestamp, records } = draft
    for (const field of [partition, recordCount, baseTimestamp, maxTimestamp, records.length]) {
      view.setFloat64(at, field)
      at += FIELD_BYTES
    }
    bytes.set(records, at)
    at += records.length
  }
  return bytes
}

function decodeOutbox(bytes: Uint8Array): OutboxBatch[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const batches: OutboxBatch[] = []
  for (let at = 0; at < bytes.length; ) {
    const field = (index: number): number => view.getFloat64(at + index * FIELD_BYTES)
    const start = at + FIELDS * FIELD_BYTES
    const end = start + field(4)
    const draft = {
      records: bytes.subarray(start, end),
      recordCount: field(1),
      baseTimestamp: field(2),
      maxTimestamp: field(3),
    }
    batches.push({ partition: field(0), draft })
    at = end
  }
  return batches
}

function keyOf(rows: ResultBatch, column: number | undefined, row: number): Uint8Array | null {
  if (column === undefined) return null
  const field = rows.fields[column]
  if (cellValue(rows.columns[column], field, row) === null) return null
  return encodeText(cellText(rows.columns[column], field, row))
}
