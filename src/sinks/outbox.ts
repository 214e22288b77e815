import { join } from 'node:path'
import { decodeText, encodeText } from '../base/bytes.ts'
import { crc32c } from '../base/crc32c.ts'
import { createDirectory, removeFile, writeDurableFile } from '../base/durable-file.ts'
import { MillraceError } from '../base/error.ts'
import { failpoint } from '../base/failpoint.ts'
import { readFileIfThere } from '../base/file-io.ts'
import { type FileSystem, nodeFileSystem } from '../base/file-system.ts'
import { cellText, cellValue } from '../batch/cell.ts'
import type { Column } from '../batch/column.ts'
import { type ResultBatch, RowChange } from '../batch/result-batch.ts'
import type { Field } from '../batch/schema.ts'
import type { PreparedFile, PreparedOutput, SinkEpoch } from './sink.ts'

/** A row on its way to a store: a text per column, as `cellText` writes it, null for null. */
export interface OutboxRow {
  readonly cells: readonly (string | null)[]
  /** Update mode: the row's group has ceased to exist; its key is to be deleted. */
  readonly deleted: boolean
}

/**
 * Rows of sinks that commit in somebody else's transaction: frozen in a file before the epoch is certain, sent from it as often as it
 * takes, kept as long as a snapshot from before them. One JSON array a line: the change (`+` or `-`), then the cells.
 *
 *   <checkpoint>/outbox/<sink>/<fence>-<epoch>.ndjson
 *
 * Names carry the fence, so a stale process never touches what a newer one has prepared. Without a folder (a run that keeps nothing to go
 * on from) rows wait in memory.
 */
export class Outbox {
  readonly #folder: string | undefined
  readonly #fileSystem: FileSystem
  readonly #memory = new Map<string, Uint8Array>()
  #folderMade = false

  constructor(folder: string | undefined, fileSystem: FileSystem = nodeFileSystem) {
    this.#folder = folder
    this.#fileSystem = fileSystem
  }

  /** Durable when it resolves. */
  async prepare({ epoch, fence }: SinkEpoch, rows: ResultBatch): Promise<PreparedOutput> {
    if (rows.rowCount === 0) return { rows: 0, bytes: 0, files: [] }
    const bytes = encodeRows(rows)
    const path = `${fence}-${epoch}.ndjson`
    if (this.#folder === undefined) {
      this.#memory.set(path, bytes)
    } else {
      if (!this.#folderMade) await createDirectory(this.#folder, this.#fileSystem)
      this.#folderMade = true
      await writeDurableFile(join(this.#folder, path), bytes, { overwrite: true }, this.#fileSystem)
    }
    failpoint('outbox:after-write')
    const outbox: PreparedFile = { path, rows: rows.rowCount, bytes: bytes.length, crc: crc32c(bytes) }
    return { rows: rows.rowCount, bytes: bytes.length, files: [], outbox }
  }

  /** The rows of a prepared epoch. Throws `data-loss` when they are not what was prepared. */
  async read(prepared: PreparedOutput): Promise<OutboxRow[]> {
    const { outbox } = prepared
    if (!outbox) return []
    const bytes = await this.#bytes(outbox.path)
    if (bytes === undefined || bytes.length !== outbox.bytes || crc32c(bytes) !== outbox.crc) {
      const what = bytes === undefined ? 'is gone' : 'is damaged'
      throw new MillraceError('data-loss', `the outbox ${join(this.#folder ?? '', outbox.path)} ${what}`, {
        hint: 'restore the checkpoint folder from a backup, or start over with another one',
      })
    }
    return decodeRows(decodeText(bytes))
  }

  /** Removes the rows of epochs up to and including `epoch`. */
  async forget(epoch: number): Promise<void> {
    const done = (name: string): boolean => Number(/^\d+-(\d+)\.ndjson$/.exec(name)?.[1] ?? Number.NaN) <= epoch
    for (const name of this.#memory.keys()) if (done(name)) this.#memory.delete(name)
    if (this.#folder === undefined) return
    for (const name of await this.#fileSystem.readdir(this.#folder).catch(() => [])) {
      if (done(name)) await removeFile(join(this.#folder, name), this.#fileSystem)
    }
  }

  async #bytes(path: string): Promise<Uint8Array | undefined> {
    if (this.#folder === undefined) return this.#memory.get(path)
    return readFileIfThere(join(this.#folder, path), this.#fileSystem)
  }
}

/** One row for each key: its last value, or its deletion when it has none. */
export function mergedByKey(rows: readonly OutboxRow[], keyIndexes: readonly number[]): OutboxRow[] {
  if (keyIndexes.length === 0) return [...rows]
  const merged = new Map<string, OutboxRow>()
  for (const row of rows) {
    const key = JSON.stringify(keyIndexes.map((index) => row.cells[index]))
    if (row.deleted && merged.has(key)) continue
    merged.set(key, row)
  }
  return [...merged.values()]
}

function encodeRows(rows: ResultBatch): Uint8Array {
  const lines: string[] = []
  for (let row = 0; row < rows.rowCount; row++) {
    const cells = rows.columns.map((column, index) => cell(column, rows.fields[index] as Field, row))
    lines.push(JSON.stringify([rows.changes?.[row] === RowChange.deleted ? '-' : '+', ...cells]))
  }
  return encodeText(`${lines.join('\n')}\n`)
}

function decodeRows(text: string): OutboxRow[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [change, ...cells] = JSON.parse(line) as [string, ...(string | null)[]]
      return { cells, deleted: change === '-' }
    })
}

function cell(column: Column, field: Field, row: number): string | null {
  return cellValue(column, field, row) === null ? null : cellText(column, field, row)
}
