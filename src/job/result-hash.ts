import { createHash, type Hash } from 'node:crypto'
import { unreachable } from '../base/assert.ts'
import { ByteWriter } from '../base/bytes.ts'
import type { Column } from '../batch/column.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { QueryOutput } from '../engine/engine.ts'
import type { EpochResults } from '../engine/epoch.ts'

/**
 * Hash of a query's rows in one epoch: 128 bits of SHA-256 over the values, column by column. Rows come in one global order, so
 * the same plan gives the same hash on every run; recovery compares it with what the journal says.
 */
export function resultHash(rows: ResultBatch | undefined): string {
  const hash = createHash('sha256')
  if (rows && rows.rowCount > 0) {
    hash.update(`${rows.rowCount} `)
    for (const column of rows.columns) hashColumn(hash, column, rows.rowCount)
    if (rows.changes) hash.update(rows.changes.subarray(0, rows.rowCount))
  }
  return hash.digest('hex').slice(0, 32)
}

/** Hash of every query's rows in every mode it gives, by `<query>/<mode>`, in a fixed order. */
export function modeHashes(queries: readonly QueryOutput[], results: EpochResults): Map<string, string> {
  const hashes = new Map<string, string>()
  for (const [index, { name, modes }] of queries.entries()) {
    for (const mode of modes) hashes.set(`${name}/${mode}`, resultHash(results.queries[index]?.[mode]))
  }
  return hashes
}

function hashColumn(hash: Hash, column: Column, rowCount: number): void {
  switch (column.kind) {
    case 'dictionary':
      hashTexts(hash, rowCount, (row) => {
        const code = column.codes[row] as number
        return code < 0 ? undefined : column.dictionary.bytes(code)
      })
      return
    case 'string':
      hashTexts(hash, rowCount, (row) => {
        const start = column.starts[row] as number
        const length = column.lengths[row] as number
        return length < 0 ? undefined : column.data.subarray(start, start + length)
      })
      return
    case 'number':
      hash.update(bytesOf(withOneNull(column.values.subarray(0, rowCount))))
      return
    case 'int32':
      hash.update(bytesOf(column.values.subarray(0, rowCount)))
      hash.update(column.validity.subarray(0, rowCount))
      return
    case 'boolean':
      hash.update(column.values.subarray(0, rowCount))
      return
    case 'uuid':
      hash.update(column.bytes.subarray(0, rowCount * 16))
      hash.update(column.validity.subarray(0, rowCount))
      return
    default:
      unreachable(column)
  }
}

/** NaN is null, and many bits are NaN: which of them comes out of a copy is up to the compiler of the moment. */
function withOneNull(values: Float64Array): Float64Array {
  const copy = values.slice()
  const words = new Uint32Array(copy.buffer)
  for (let row = 0; row < copy.length; row++) {
    if (!Number.isNaN(copy[row])) continue
    words[2 * row] = 0
    words[2 * row + 1] = NULL_HIGH_WORD
  }
  return copy
}

const NULL_HIGH_WORD = 0x7ff80000

/** Texts go to the hash in pieces of about 64 KB: a call per value would cost more than the hash itself. */
function hashTexts(hash: Hash, rowCount: number, text: (row: number) => Uint8Array | undefined): void {
  const writer = new ByteWriter(1 << 16)
  for (let row = 0; row < rowCount; row++) {
    const bytes = text(row)
    writer.varint(bytes ? bytes.length + 1 : 0)
    if (bytes) writer.raw(bytes)
    if (writer.length >= 1 << 16) {
      hash.update(writer.view())
      writer.clear()
    }
  }
  hash.update(writer.view())
}

function bytesOf(values: Float64Array | Int32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
