import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import { readParquet } from 'parquet-wasm'
import { assert } from '../../src/base/assert.ts'
import { crc32c } from '../../src/base/crc32c.ts'
import { systemErrorCode } from '../../src/base/error.ts'
import { readFileIfThere } from '../../src/base/file-io.ts'
import { type FileSystem, nodeFileSystem } from '../../src/base/file-system.ts'
import type { FileSinkSpec } from '../../src/plan/connectors.ts'
import { createSink } from '../../src/sinks/index.ts'
import { readOutputLog } from '../../src/sinks/output-log.ts'
import type { Sink } from '../../src/sinks/sink.ts'
import { rowText, SINK_FIELDS, SINK_KEYS } from './sink-rows.ts'

/** An output folder with the sinks that processes open on it, and its two kinds of readers. */
export class FileStore {
  readonly folder: string
  readonly #spec: FileSinkSpec
  readonly #fileSystem: FileSystem

  constructor(folder: string, spec: Omit<FileSinkSpec, 'path'>, fileSystem: FileSystem = nodeFileSystem) {
    this.folder = join(folder, 'out')
    this.#spec = { ...spec, path: this.folder }
    this.#fileSystem = fileSystem
  }

  /** The sink as another process makes it. */
  sink(): Promise<Sink> {
    return createSink(this.#spec, {
      pipeline: 'contract',
      query: 'q',
      name: 'q.file',
      fields: SINK_FIELDS,
      keyColumns: SINK_KEYS,
      workingFolder: '/',
      owner: 'the checkpoint',
      fileSystem: this.#fileSystem,
      print: () => {},
    })
  }

  /** Every row of every file that a reader by glob finds. */
  async visibleRows(): Promise<string[]> {
    const rows: string[] = []
    for (const path of await this.visibleFiles()) rows.push(...(await this.#rows(path)))
    return rows.sort()
  }

  /** Every row of the epochs in `_log`; each file must be there as its entry says. */
  async loggedRows(): Promise<string[]> {
    const rows: string[] = []
    for (const entry of await readOutputLog(this.folder, this.#fileSystem)) {
      const before = rows.length
      for (const file of entry.files) {
        const bytes = await readFileIfThere(join(this.folder, file.path), this.#fileSystem)
        assert(bytes && crc32c(bytes) === file.crc, `${file.path} is what epoch ${entry.epoch} lists`)
        rows.push(...(await this.#rows(file.path)))
      }
      assert(rows.length - before === entry.rows, `epoch ${entry.epoch} has as many rows as it says`)
    }
    return rows.sort()
  }

  /** Files below the folder, but for those in names that begin with `.` or `_`, which readers leave out. */
  async visibleFiles(below = ''): Promise<string[]> {
    const found: string[] = []
    for (const name of await this.#names(join(this.folder, below))) {
      if (/^[._]/.test(name)) continue
      const path = join(below, name)
      if (/\.(ndjson|csv|parquet)$/.test(name)) found.push(path)
      else found.push(...(await this.visibleFiles(path)))
    }
    return found.sort()
  }

  async #names(folder: string): Promise<string[]> {
    try {
      return await this.#fileSystem.readdir(folder)
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return []
      throw error
    }
  }

  async #rows(path: string): Promise<string[]> {
    const bytes = await readFileIfThere(join(this.folder, path), this.#fileSystem)
    assert(bytes, `${path} is there`)
    switch (this.#spec.kind) {
      case 'json':
        return Buffer.from(bytes).toString().trimEnd().split('\n').map(jsonRow)
      case 'csv':
        return csvRows(Buffer.from(bytes).toString())
      case 'parquet': {
        const table = tableFromIPC(readParquet(bytes).intoIPCStream())
        return table.toArray().map((row: { page: string | null; views: bigint }) => rowText(row.page, row.views))
      }
    }
  }
}

function jsonRow(line: string): string {
  const { page, views } = JSON.parse(line) as { page: string | null; views: number }
  return rowText(page, views)
}

/** RFC 4180; an empty cell without quotes is null. */
function csvRows(text: string): string[] {
  const lines = text.match(/(?:"(?:[^"]|"")*"|[^"\n])*\n/g) ?? []
  return lines.slice(1).map((line) => {
    const cells = [...line.slice(0, -1).matchAll(/(?:^|,)("(?:[^"]|"")*"|[^",]*)/g)].map((match) => match[1] ?? '')
    const [, , page = '', views = ''] = cells
    const plain = page.startsWith('"') ? page.slice(1, -1).replaceAll('""', '"') : page === '' ? null : page
    return rowText(plain, Number(views))
  })
}
