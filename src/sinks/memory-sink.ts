import { MillraceError } from '../base/error.ts'
import { cellValue } from '../batch/cell.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { PreparedOutput, Sink, SinkContext, SinkEpoch, SinkProgress } from './sink.ts'

/** A row as people read it, by column name. */
export type MemoryRow = ReadonlyMap<string, string | number | boolean | null>

/** What a memory sink writes to. One that is handed to several sinks, one after the other, is to them what a server is to processes. */
export class MemoryStore {
  /** Committed rows, in the order of their epochs. */
  rows: MemoryRow[] = []
  /** Rows out of sight, by the epoch that prepared them. */
  readonly prepared: Map<number, readonly MemoryRow[]> = new Map()
  mark: SinkProgress | undefined
  fence = 0
}

/** Keeps rows in memory: prepared ones out of sight, committed ones in `rows`. For tests and for `--print`. */
export interface MemorySink extends Sink {
  readonly rows: readonly MemoryRow[]
  /** Takes the rows away. */
  takeRows(): MemoryRow[]
}

/** Makes a sink that keeps rows in memory. */
export function memorySink({ name }: Pick<SinkContext, 'name'>, store: MemoryStore = new MemoryStore()): MemorySink {
  let own = 0
  const assertOwned = (): void => {
    if (store.fence > own) throw stale(name, store.fence, own)
  }
  return {
    name,
    target: 'memory',
    view: false,
    get rows() {
      return store.rows
    },
    takeRows() {
      const taken = store.rows
      store.rows = []
      return taken
    },
    async progress() {
      return store.mark
    },
    async open(fence) {
      own = fence
      assertOwned()
      store.fence = fence
      return store.mark
    },
    async prepare({ epoch }: SinkEpoch, batch: ResultBatch): Promise<PreparedOutput> {
      assertOwned()
      store.prepared.set(epoch, rowsOf(batch))
      return { rows: batch.rowCount, bytes: 0, files: [] }
    },
    async commit({ epoch, fence, hash }: SinkEpoch) {
      assertOwned()
      const { mark } = store
      if (mark && mark.epoch === epoch && mark.hash !== hash) throw otherRows(name, epoch)
      if (mark && mark.epoch >= epoch) return
      store.rows.push(...(store.prepared.get(epoch) ?? []))
      store.prepared.delete(epoch)
      store.mark = { epoch, fence, hash }
    },
    async forget(epoch) {
      for (const one of store.prepared.keys()) if (one <= epoch) store.prepared.delete(one)
    },
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

function stale(sink: string, newer: number, fence: number): MillraceError {
  return new MillraceError(
    'incompatible-state',
    `${sink} is written by a newer process (fence ${newer}, this one has ${fence})`,
    {
      hint: 'another process runs this pipeline: stop one of them',
    },
  )
}

function otherRows(sink: string, epoch: number): MillraceError {
  return new MillraceError('incompatible-state', `${sink} holds other rows for epoch ${epoch} than this run has`, {
    hint: 'the checkpoint is older than its output',
  })
}
