import { ByteWriter, compareBytes } from '../base/bytes.ts'
import type { Column } from '../batch/column.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import { SESSION_START, WINDOW_END, WINDOW_START } from '../plan/node.ts'
import type { QueryOutput } from './engine.ts'
import { encodeKeyPart } from './keys/key-codec.ts'
import { ColumnCollector } from './select/column-collector.ts'

/**
 * Brings the rows of several owners, each sorted by (window start, key bytes), into one batch in that order: the rows and the order that
 * one owner of everything gives.
 */
export function mergeResults(batches: readonly ResultBatch[], output: QueryOutput, hashSeed: number): ResultBatch {
  const filled = batches.filter(({ rowCount }) => rowCount > 0)
  const only = filled.length === 1 ? filled[0] : undefined
  if (only || filled.length === 0) return only ?? (batches[0] as ResultBatch)
  const order = mergedOrder(filled.map((batch) => new SortedRows(batch, output)))
  const columns = output.fields.map((_, index) => gathered(filled, index, order, hashSeed))
  const rowCount = order.rows.length
  if (!filled.every(({ changes }) => changes !== undefined)) return { fields: output.fields, columns, rowCount }
  const changes = Uint8Array.from(
    order.rows,
    (row, at) => filled[order.batches[at] as number]?.changes?.[row] as number,
  )
  return { fields: output.fields, columns, rowCount, changes }
}

/** Where each row of the merged batch comes from. */
interface MergedOrder {
  readonly batches: Int32Array
  readonly rows: Int32Array
}

function mergedOrder(sources: readonly SortedRows[]): MergedOrder {
  const rowCount = sources.reduce((sum, source) => sum + source.rowCount, 0)
  const order = { batches: new Int32Array(rowCount), rows: new Int32Array(rowCount) }
  for (let at = 0; at < rowCount; at++) {
    let next = -1
    for (const [index, source] of sources.entries()) {
      if (source.ended) continue
      if (next < 0 || source.compareHead(sources[next] as SortedRows) < 0) next = index
    }
    order.batches[at] = next
    order.rows[at] = (sources[next] as SortedRows).take()
  }
  return order
}

/** Columns that say which window a row is of; the first one is its start. */
const BOUNDS: readonly string[] = [WINDOW_START, WINDOW_END, SESSION_START]

/** The rows of one batch with what they are sorted by. */
class SortedRows {
  readonly rowCount: number
  readonly #starts: Float64Array | undefined
  readonly #keys = new ByteWriter(1024)
  readonly #keyEnds: Int32Array
  #head = 0

  constructor(batch: ResultBatch, { fields, keyColumns }: QueryOutput) {
    this.rowCount = batch.rowCount
    const first = batch.columns[0]
    const bounds = keyColumns.filter((name) => BOUNDS.includes(name))
    this.#starts = bounds.length > 0 && first?.kind === 'number' ? first.values : undefined
    const keys = keyColumns.slice(bounds.length).map((name) => fields.findIndex((field) => field.name === name))
    this.#keyEnds = new Int32Array(batch.rowCount)
    for (let row = 0; row < batch.rowCount; row++) {
      for (const index of keys) encodeKeyPart(this.#keys, batch.columns[index] as Column, row)
      this.#keyEnds[row] = this.#keys.length
    }
  }

  get ended(): boolean {
    return this.#head === this.rowCount
  }

  take(): number {
    return this.#head++
  }

  compareHead(other: SortedRows): number {
    if (this.#starts && other.#starts) {
      const difference = (this.#starts[this.#head] as number) - (other.#starts[other.#head] as number)
      if (difference !== 0) return difference
    }
    return compareBytes(this.#headKey(), other.#headKey())
  }

  #headKey(): Uint8Array {
    const start = this.#head === 0 ? 0 : (this.#keyEnds[this.#head - 1] as number)
    return this.#keys.view().subarray(start, this.#keyEnds[this.#head] as number)
  }
}

function gathered(
  batches: readonly ResultBatch[],
  index: number,
  { batches: from, rows }: MergedOrder,
  seed: number,
): Column {
  const collector = new ColumnCollector(seed)
  for (let at = 0; at < rows.length; ) {
    const batch = from[at] as number
    let end = at
    while (end < rows.length && from[end] === batch) end++
    const column = batches[batch]?.columns[index] as Column
    collector.append(column, rows.subarray(at, end), end - at)
    at = end
  }
  return collector.finish() as Column
}
