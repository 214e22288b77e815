import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { encodeText } from '../base/bytes.ts'
import { crc32c } from '../base/crc32c.ts'
import { createDirectory, publishFile, syncDirectory, writeDurableFile } from '../base/durable-file.ts'
import { isMissing, MillraceError } from '../base/error.ts'
import { failpoint } from '../base/failpoint.ts'
import { attempt, readFileIfThere } from '../base/file-io.ts'
import { type FileSystem, nodeFileSystem } from '../base/file-system.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { FileSinkSpec } from '../plan/connectors.ts'
import { type FileFormat, fileFormat } from './file-format.ts'
import {
  encodeLogEntry,
  type LogEntry,
  logEpochs,
  logPath,
  namesIn,
  ownerPath,
  readLogEntry,
  readOwner,
} from './output-log.ts'
import { rowsByPartition } from './partition-path.ts'
import type { PreparedFile, PreparedOutput, Sink, SinkContext, SinkEpoch, SinkProgress } from './sink.ts'
import { StagingArea } from './staging-area.ts'

/** Partitions that one epoch may write to; each is a file. */
const PARTITIONS_MAX = 1_000

/**
 * Files below a folder, exactly once, whatever the format:
 *
 *   <out>/.staging/<fence>/<epoch>/...    prepared: durable, but nobody looks there, see `StagingArea`
 *   <out>/[dt=.../]part-<epoch>-<seq>.*   committed: a second name for the same file
 *   <out>/_log/<epoch>.json               the epoch is complete; readers of `_log` never see half of one
 *   <out>/_log/owner.json                 which checkpoint the folder belongs to
 *
 * An epoch without rows writes nothing; the mark is then that of an epoch before.
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
  readonly #files: FileSystem
  readonly #staging: StagingArea

  constructor(spec: FileSinkSpec, context: SinkContext) {
    this.name = context.name
    this.target = resolve(context.workingFolder, spec.path)
    this.#spec = spec
    this.#context = context
    this.#format = fileFormat(spec)
    this.#files = context.fileSystem ?? nodeFileSystem
    this.#staging = new StagingArea(this.target, this.#files)
  }

  async progress(): Promise<SinkProgress | undefined> {
    await this.#checkOwner()
    const newest = (await logEpochs(this.target, this.#files)).at(-1)
    const entry = newest === undefined ? undefined : await readLogEntry(this.target, newest, this.#files)
    return entry && { epoch: entry.epoch, fence: entry.fence, hash: entry.hash }
  }

  async open(fence: number): Promise<SinkProgress | undefined> {
    await this.#checkOwner()
    await createDirectory(join(this.target, '_log'), this.#files)
    await this.#staging.open(fence)
    await this.#takeOwnership()
    // Read only now: what an older process has committed until it was shut out counts.
    const mark = await this.progress()
    if (mark && mark.fence > fence) throw stale(this.target, mark.fence, fence)
    return mark
  }

  async prepare({ epoch }: SinkEpoch, rows: ResultBatch): Promise<PreparedOutput> {
    if (rows.rowCount === 0) return { rows: 0, bytes: 0, files: [] }
    const partitions = rowsByPartition(rows, this.#spec.partitionBy)
    if (partitions.size > PARTITIONS_MAX) throw tooManyPartitions(this.name, partitions.size)
    const folder = await this.#staging.begin(epoch)
    const files: PreparedFile[] = []
    for (const [partition, indexes] of [...partitions].sort(([left], [right]) => (left < right ? -1 : 1))) {
      for (const piece of pieces(indexes, this.#spec.recordsPerFileMax)) {
        const bytes = await this.#format.encode(rows, piece)
        const name = `part-${String(epoch).padStart(10, '0')}-${String(files.length).padStart(4, '0')}.${this.#format.extension}`
        const draft = join(folder, stagedName(name))
        await this.#staging.orStale(() => writeDurableFile(draft, bytes, { overwrite: true }, this.#files))
        failpoint('sink:after-stage')
        files.push({ path: join(partition, name), rows: piece.length, bytes: bytes.length, crc: crc32c(bytes) })
      }
    }
    return { rows: rows.rowCount, bytes: files.reduce((sum, file) => sum + file.bytes, 0), files }
  }

  async commit(at: SinkEpoch, prepared: PreparedOutput): Promise<void> {
    const { epoch, hash } = at
    // Without rows there is nothing that would fail: an epoch that a stale process commits must not become its snapshot.
    if (prepared.files.length === 0) return this.#staging.assertOwned()
    if (await this.#committed(epoch, hash)) return
    const staged = await this.#staging.epochFolder(epoch)
    const touched = new Set<string>()
    for (const file of prepared.files) {
      const to = join(this.target, file.path)
      if (!touched.has(dirname(to))) await this.#openFolder(dirname(to))
      touched.add(dirname(to))
      await this.#publish(epoch, file, to)
      failpoint('sink:after-link')
    }
    for (const folder of touched) await syncDirectory(folder, this.#files)
    failpoint('sink:before-log')
    await this.#list(at, prepared, staged)
    if (!(await this.#committed(epoch, hash))) throw lost(logPath(this.target, epoch), epoch)
  }

  forget(epoch: number): Promise<void> {
    return this.#staging.forget(epoch)
  }

  async close(): Promise<void> {}

  /** Says in `_log` that the epoch is complete. The entry is staged as the files are, so that a stale process cannot give it its name. */
  async #list({ epoch, fence, hash }: SinkEpoch, prepared: PreparedOutput, staged: string): Promise<void> {
    const entry: LogEntry = { epoch, fence, hash, rows: prepared.rows, bytes: prepared.bytes, files: prepared.files }
    const draft = join(staged, 'log.json')
    await this.#staging.orStale(async () => {
      await writeDurableFile(draft, encodeLogEntry(entry), { overwrite: true }, this.#files)
      await publishFile(draft, logPath(this.target, epoch), this.#files)
    })
  }

  /** Gives a staged file its final name. One that has it already, with the right content, was published before a crash. */
  async #publish(epoch: number, file: PreparedFile, to: string): Promise<void> {
    for (const [age, from] of (await this.#staging.copies(epoch, stagedName(basename(to)))).entries()) {
      try {
        // What another process has staged has been on the disk for a while.
        if (age > 0) await this.#assertIntact(from, file)
        if ((await publishFile(from, to, this.#files)) === 'exists') break
        return
      } catch (error) {
        if (!isMissing(error)) throw error
      }
    }
    await this.#staging.assertOwned()
    const there = await readFileIfThere(to, this.#files)
    if (there && there.length === file.bytes && crc32c(there) === file.crc) return
    throw lost(to, epoch)
  }

  async #assertIntact(path: string, { bytes, crc }: PreparedFile): Promise<void> {
    const there = await readFileIfThere(path, this.#files)
    if (!there || (there.length === bytes && crc32c(there) === crc)) return
    throw new MillraceError('data-loss', `the staged file ${path} is damaged`, {
      hint: 'restore the output folder from a backup, or start over with another --output and another --checkpoint',
    })
  }

  /** True when the epoch is in `_log`, and then durably so. */
  async #committed(epoch: number, hash: string): Promise<boolean> {
    const entry = await readLogEntry(this.target, epoch, this.#files)
    if (!entry) return false
    if (entry.hash !== hash) throw otherRows(this.target, epoch)
    // The process that wrote it may have died before this.
    await syncDirectory(join(this.target, '_log'), this.#files)
    return true
  }

  /** The folder of a partition. It must be where it says it is: no link leads out of the output folder. */
  async #openFolder(folder: string): Promise<void> {
    await createDirectory(folder, this.#files)
    const real = await attempt('open the folder', folder, () => this.#files.realpath(folder))
    const root = await attempt('open the folder', this.target, () => this.#files.realpath(this.target))
    if (real === join(root, folder.slice(this.target.length))) return
    throw new MillraceError('invalid-option', `${folder} is a link to ${real}`, {
      hint: 'output is written below one folder: remove the link, or choose another --output',
    })
  }

  async #checkOwner(): Promise<void> {
    const owner = await readOwner(this.target, this.#files)
    if (owner === undefined) return this.#checkEmpty()
    // A run that died before it wrote anything leaves nothing to protect.
    if (owner === this.#context.owner || (await logEpochs(this.target, this.#files)).length === 0) return
    // A run without a checkpoint cannot be gone on with.
    const goOn = isAbsolute(owner) ? `add --checkpoint ${owner} to go on with that run, ` : ''
    throw new MillraceError('incompatible-state', `${this.target} holds the output of another run (${owner})`, {
      hint: `${goOn}choose another --output, or add --replace to remove what is there`,
    })
  }

  /** Files of unknown origin would be read together with ours. */
  async #checkEmpty(): Promise<void> {
    const names = await namesIn(this.target, this.#files)
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
    await writeDurableFile(ownerPath(this.target), encodeText(text), { overwrite: true }, this.#files)
  }
}

/** Patterns of readers over all folders (`**`) look into `.staging` too, so what waits there must not be called as they expect. */
function stagedName(name: string): string {
  return `${name}.staged`
}

function* pieces(indexes: Int32Array, lengthMax: number = indexes.length): Generator<Int32Array> {
  for (let at = 0; at < indexes.length; at += lengthMax) yield indexes.subarray(at, at + lengthMax)
}

function lost(path: string, epoch: number): MillraceError {
  return new MillraceError('data-loss', `${path} is not what epoch ${epoch} prepared, and its staged copy is gone`, {
    hint: 'something else wrote into or removed from the output folder: restore it, or start over elsewhere',
  })
}

function otherRows(folder: string, epoch: number): MillraceError {
  return new MillraceError('incompatible-state', `${folder} holds other rows for epoch ${epoch} than this run has`, {
    hint: 'the checkpoint is older than its output: use another --output and another --checkpoint',
  })
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
