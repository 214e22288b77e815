import { readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { decodeText, encodeText } from '../base/bytes.ts'
import { crc32c } from '../base/crc32c.ts'
import { createDirectory, publishFile, syncDirectory, writeDurableFile } from '../base/durable-file.ts'
import { MillraceError, systemErrorCode } from '../base/error.ts'
import { failpoint } from '../base/failpoint.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { FileSinkSpec } from '../plan/connectors.ts'
import { type FileFormat, fileFormat } from './file-format.ts'
import { rowsByPartition } from './partition-path.ts'
import type { PreparedFile, PreparedOutput, Sink, SinkContext, SinkEpoch, SinkProgress } from './sink.ts'

/** Partitions that one epoch may write to; each is a file. */
const PARTITIONS_MAX = 1_000

/**
 * Files below a folder, exactly once, whatever the format:
 *
 *   <out>/.staging/<fence>/<epoch>/...    prepared: durable, but nobody looks there
 *   <out>/[dt=.../]part-<epoch>-<seq>.*   committed: a second name for the same file
 *   <out>/_log/<epoch>.json               the epoch is complete; readers of `_log` never see half of one
 *   <out>/_log/owner.json                 which checkpoint the folder belongs to
 *
 * A newer process moves the staging folders of older ones aside, so a stale one fails at its next step. An epoch without rows writes
 * nothing; the mark is then that of an epoch before.
 */
export async function fileSink(spec: FileSinkSpec, context: SinkContext): Promise<Sink> {
  return new FileSink(spec, context)
}

class FileSink implements Sink {
  readonly name: string
  readonly target: string
  readonly view = false
  readonly #spec: FileSinkSpec
  readonly #context: SinkContext
  readonly #format: FileFormat
  #fence = 0

  constructor(spec: FileSinkSpec, context: SinkContext) {
    this.name = context.name
    this.target = resolve(context.workingFolder, spec.path)
    this.#spec = spec
    this.#context = context
    this.#format = fileFormat(spec)
  }

  async progress(): Promise<SinkProgress | undefined> {
    await this.#checkOwner()
    const newest = (await logEpochs(this.target)).at(-1)
    if (newest === undefined) return undefined
    const { epoch, fence, hash } = await readLogEntry(this.target, newest)
    return { epoch, fence, hash }
  }

  async open(fence: number): Promise<SinkProgress | undefined> {
    const mark = await this.progress()
    if (mark && mark.fence > fence) throw stale(this.target, mark.fence, fence)
    this.#fence = fence
    await createDirectory(join(this.target, '_log'))
    await this.#takeOwnership()
    const staging = join(this.target, '.staging')
    await createDirectory(join(staging, 'fenced'))
    for (const name of await readdir(staging)) {
      if (/^\d+$/.test(name) && Number(name) < fence) await rename(join(staging, name), join(staging, 'fenced', name))
    }
    await createDirectory(join(staging, String(fence)))
    await syncDirectory(staging)
    return mark
  }

  async prepare({ epoch }: SinkEpoch, rows: ResultBatch): Promise<PreparedOutput> {
    if (rows.rowCount === 0) return { rows: 0, bytes: 0, files: [] }
    const folder = join(this.target, '.staging', String(this.#fence), String(epoch))
    await rm(folder, { recursive: true, force: true })
    await createDirectory(folder)
    const files: PreparedFile[] = []
    const partitions = rowsByPartition(rows, this.#spec.partitionBy)
    if (partitions.size > PARTITIONS_MAX) throw tooManyPartitions(this.name, partitions.size)
    for (const [partition, indexes] of [...partitions].sort(([left], [right]) => (left < right ? -1 : 1))) {
      for (const piece of pieces(indexes, this.#spec.recordsPerFileMax)) {
        const bytes = await this.#format.encode(rows, piece)
        const name = `part-${String(epoch).padStart(10, '0')}-${String(files.length).padStart(4, '0')}.${this.#format.extension}`
        await writeDurableFile(join(folder, name), bytes, { overwrite: true })
        failpoint('sink:after-stage')
        files.push({ path: join(partition, name), rows: piece.length, bytes: bytes.length, crc: crc32c(bytes) })
      }
    }
    return { rows: rows.rowCount, bytes: files.reduce((sum, file) => sum + file.bytes, 0), files }
  }

  async commit({ epoch, fence, hash }: SinkEpoch, prepared: PreparedOutput): Promise<void> {
    if (prepared.files.length === 0 || (await this.#committed(epoch, hash))) return
    const touched = new Set<string>()
    for (const file of prepared.files) {
      const to = join(this.target, file.path)
      const folder = dirname(to)
      if (!touched.has(folder)) await createDirectory(folder)
      touched.add(folder)
      await this.#publish(epoch, file, to)
      failpoint('sink:after-link')
    }
    for (const folder of touched) await syncDirectory(folder)
    failpoint('sink:before-log')
    const entry: LogEntry = { epoch, fence, hash, rows: prepared.rows, bytes: prepared.bytes, files: prepared.files }
    await writeDurableFile(logPath(this.target, epoch), encodeText(`${JSON.stringify(entry)}\n`), { overwrite: false })
  }

  async forget(epoch: number): Promise<void> {
    for (const fence of [String(this.#fence), ...(await this.#fencedNames())]) {
      const folder = join(this.target, '.staging', fence)
      for (const name of await namesIn(folder)) {
        if (/^\d+$/.test(name) && Number(name) <= epoch) await rm(join(folder, name), { recursive: true, force: true })
      }
    }
  }

  async close(): Promise<void> {}

  /** Gives a staged file its final name. One that has it already, with the right content, was published before a crash. */
  async #publish(epoch: number, file: PreparedFile, to: string): Promise<void> {
    const name = to.slice(to.lastIndexOf('/') + 1)
    for (const fence of [String(this.#fence), ...(await this.#fencedNames())]) {
      const from = join(this.target, '.staging', fence, String(epoch), name)
      if ((await stat(from).catch(() => undefined)) === undefined) continue
      if ((await publishFile(from, to)) === 'exists') break
      return
    }
    const there = await readFile(to).catch(() => undefined)
    if (there && there.length === file.bytes && crc32c(there) === file.crc) return
    throw new MillraceError('data-loss', `${to} is not what epoch ${epoch} prepared, and its staged copy is gone`, {
      hint: 'something else wrote into or removed from the output folder: restore it, or start over elsewhere',
    })
  }

  async #fencedNames(): Promise<string[]> {
    const names = await namesIn(join(this.target, '.staging', 'fenced'))
    return names.sort((left, right) => Number(right) - Number(left)).map((name) => join('fenced', name))
  }

  async #committed(epoch: number, hash: string): Promise<boolean> {
    const entry = await readLogEntry(this.target, epoch).catch(() => undefined)
    if (!entry) return false
    if (entry.hash === hash) return true
    throw new MillraceError(
      'incompatible-state',
      `${this.target} holds other rows for epoch ${epoch} than this run has`,
      {
        hint: 'the checkpoint is older than its output: use another --output and another --checkpoint',
      },
    )
  }

  async #checkOwner(): Promise<void> {
    const path = ownerPath(this.target)
    const text = await readFile(path).catch((error: unknown) => {
      if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return undefined
      throw error
    })
    if (text === undefined) return this.#checkEmpty()
    const { owner } = JSON.parse(decodeText(text)) as { owner: string }
    // A run that died before it wrote anything leaves nothing to protect.
    if (owner === this.#context.owner || (await logEpochs(this.target)).length === 0) return
    throw new MillraceError('incompatible-state', `${this.target} holds the output of another run (${owner})`, {
      hint: 'choose another --output, or add --replace to remove what is there',
    })
  }

  /** Files of unknown origin would be read together with ours. */
  async #checkEmpty(): Promise<void> {
    const names = await namesIn(this.target)
    const foreign = names.find((name) => name.endsWith(`.${this.#format.extension}`) || name.includes('='))
    if (foreign === undefined) return
    throw new MillraceError(
      'incompatible-state',
      `${this.target} holds "${foreign}", which no run of millrace has listed there`,
      {
        hint: 'choose another --output, or move it away',
      },
    )
  }

  async #takeOwnership(): Promise<void> {
    const { owner, pipeline, query } = this.#context
    const text = `${JSON.stringify({ owner, pipeline, query })}\n`
    await writeDurableFile(ownerPath(this.target), encodeText(text), { overwrite: true })
  }
}

/** An epoch that is complete, as `_log` has it. */
export interface LogEntry extends PreparedOutput, SinkProgress {}

/** Committed epochs of an output folder, oldest first: what a reader may take for complete. */
export async function readOutputLog(folder: string): Promise<LogEntry[]> {
  const entries: LogEntry[] = []
  for (const epoch of await logEpochs(folder)) entries.push(await readLogEntry(folder, epoch))
  return entries
}

/** Removes what a file sink made below a folder, and nothing else. */
export async function clearFileSinkFolder(folder: string): Promise<void> {
  if (!(await stat(ownerPath(folder)).catch(() => undefined))) return
  for (const entry of await readOutputLog(folder)) {
    for (const file of entry.files) await rm(join(folder, file.path), { force: true })
  }
  await rm(join(folder, '.staging'), { recursive: true, force: true })
  await rm(join(folder, '_log'), { recursive: true, force: true })
}

function* pieces(indexes: Int32Array, lengthMax: number = indexes.length): Generator<Int32Array> {
  for (let at = 0; at < indexes.length; at += lengthMax) yield indexes.subarray(at, at + lengthMax)
}

function ownerPath(folder: string): string {
  return join(folder, '_log', 'owner.json')
}

function logPath(folder: string, epoch: number): string {
  return join(folder, '_log', `${String(epoch).padStart(15, '0')}.json`)
}

async function logEpochs(folder: string): Promise<number[]> {
  const names = await namesIn(join(folder, '_log'))
  return names
    .filter((name) => /^\d{15}\.json$/.test(name))
    .map((name) => Number.parseInt(name, 10))
    .sort((left, right) => left - right)
}

async function readLogEntry(folder: string, epoch: number): Promise<LogEntry> {
  return JSON.parse(decodeText(await readFile(logPath(folder, epoch)))) as LogEntry
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return []
    throw error
  }
}

function stale(folder: string, newer: number, fence: number): MillraceError {
  return new MillraceError(
    'incompatible-state',
    `${folder} has been written by a newer process (fence ${newer}, this one has ${fence})`,
    {
      hint: 'another process runs this pipeline: stop one of them',
    },
  )
}

function tooManyPartitions(sink: string, count: number): MillraceError {
  return new MillraceError(
    'unsupported',
    `an epoch of ${sink} has rows for ${count} partitions, ${PARTITIONS_MAX} at most`,
    {
      hint: 'partition by a column with fewer values',
    },
  )
}
