import { cellValue } from '../batch/cell.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { PreparedOutput, Sink, SinkContext, SinkEpoch, SinkProgress } from './sink.ts'

/** A row as people read it, by column name. */
export type MemoryRow = ReadonlyMap<string, string | number | boolean | null>

/** Keeps rows in memory: prepared ones out of sight, committed ones in `rows`. For tests and for `--print`. */
export interface MemorySink extends Sink {
  readonly rows: readonly MemoryRow[]
  /** Takes the rows away. */
  takeRows(): MemoryRow[]
}

/** Makes a sink that keeps rows in memory. */
export function memorySink({ name }: Pick<SinkContext, 'name'>): MemorySink {
  const prepared = new Map<number, MemoryRow[]>()
  let rows: MemoryRow[] = []
  let mark: SinkProgress | undefined
  return {
    name,
    target: 'memory',
    view: false,
    get rows() {
      return rows
    },
    takeRows() {
      const taken = rows
      rows = []
      return taken
    },
    async progress() {
      return mark
    },
    async open() {
      prepared.clear()
      return mark
    },
    async prepare({ epoch }: SinkEpoch, batch: ResultBatch): Promise<PreparedOutput> {
      prepared.set(epoch, rowsOf(batch))
      return { rows: batch.rowCount, bytes: 0, files: [] }
    },
    async commit({ epoch, fence, hash }: SinkEpoch) {
      if (mark && mark.epoch >= epoch) return
      rows.push(...(prepared.get(epoch) ?? []))
      prepared.delete(epoch)
      mark = { epoch, fence, hash }
    },
    async forget() {},
    async close() {},
  }
}

/** The rows of a result by column name. */
export function rowsOf(batch: ResultBatch): MemoryRow[] {
  return Array.from({ length: batch.rowCount }, (_, row) => {
    const cells = batch.fields.map((field, index) => {
      const column = batch.columns[index]
      return [field.name, column ? cellValue(column, field, row) : null] as const
    })
    return new Map(cells)
  })
}
