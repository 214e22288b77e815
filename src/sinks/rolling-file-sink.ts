import { dirname, join } from 'node:path'
import { crc32c } from '../base/crc32c.ts'
import {
  createDirectory,
  publishFile,
  removeFile,
  removeTree,
  syncDirectory,
  writeDurableFile,
} from '../base/durable-file.ts'
import { isMissing, MillraceError } from '../base/error.ts'
import { failpoint } from '../base/failpoint.ts'
import { attempt, readFully, withFile } from '../base/file-io.ts'
import { type FileSystem, nodeFileSystem } from '../base/file-system.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import { decodeRows, encodeRows } from '../batch/result-codec.ts'
import type { RollSpec } from '../plan/connectors.ts'
import type { PreparedOutput, Sink, SinkContext, SinkEpoch, SinkProgress, SinkStart } from './sink.ts'
import { staleWriter } from './staging-area.ts'

/**
 * Few large files instead of many small ones: rows wait in segments, one for each epoch that has rows, until they are old or many enough;
 * then the epoch in hand writes them all as files of the sink within, which publishes them as it publishes any other epoch.
 *
 *   <out>/.segments/<fence>/<epoch>.rows      crc32c u32 | waiting since, ms f64 | rows (batch/result-codec.ts)
 *
 * A segment is durable before its epoch is certain, and goes when the files that hold its rows are published. So what is waiting can be told
 * from names alone: segments behind the newest entry of `_log`, up to the last certain epoch. What a process left of an epoch that never
 * became certain is behind that and is removed. A newer process first moves the folders of older ones aside, to `<fence>.by-<newer fence>`,
 * so that a stale one finds its folder gone, and then takes their segments into its own.
 */
export function rollingFileSink(within: Sink, roll: RollSpec, context: SinkContext): Sink {
  return new RollingFileSink(within, roll, context)
}

interface Segment {
  readonly path: string
  readonly rows: number
  readonly bytes: number
  readonly sinceMs: number
}

const EMPTY: PreparedOutput = { rows: 0, bytes: 0, files: [] }
const CHECKSUM_BYTES = 4
const SINCE_BYTES = 8
/** Of the count that rows begin with. */
const COUNT_BYTES = 4

class RollingFileSink implements Sink {
  readonly name: string
  readonly target: string
  readonly view = false
  readonly #within: Sink
  readonly #roll: RollSpec
  readonly #context: SinkContext
  readonly #folder: string
  readonly #fileSystem: FileSystem
  /** Waiting rows by epoch, ascending. */
  #segments = new Map<number, Segment>()
  #fence = 0
  /** The epoch whose files hold the rows of all segments up to it. */
  #gatheredEpoch = 0

  constructor(within: Sink, roll: RollSpec, context: SinkContext) {
    this.name = within.name
    this.target = within.target
    this.#within = within
    this.#roll = roll
    this.#context = context
    this.#folder = join(within.target, '.segments')
    this.#fileSystem = context.fileSystem ?? nodeFileSystem
  }

  progress(): Promise<SinkProgress | undefined> {
    return this.#within.progress()
  }

  async open(fence: number, start: SinkStart = { epoch: 0, reset: false }): Promise<SinkProgress | undefined> {
    const mark = await this.#within.open(fence, start)
    this.#fence = fence
    await createDirectory(this.#own, this.#fileSystem)
    this.#segments = await this.#orStale(async () => {
      await this.#fenceOlder()
      await this.#takeSegments(mark?.epoch ?? 0, start.epoch)
      return this.#found()
    })
    return mark
  }

  async prepare(at: SinkEpoch, rows: ResultBatch): Promise<PreparedOutput> {
    if (rows.rowCount > 0) await this.#write(at.epoch, rows)
    const waiting = [...this.#segments.values()]
    const bytes = waiting.reduce((sum, segment) => sum + segment.bytes, 0)
    const due = at.final || bytes >= this.#roll.bytes || this.#now() >= (this.dueMs() ?? Number.POSITIVE_INFINITY)
    if (waiting.length === 0 || !due) return EMPTY
    const pieces: Uint8Array[] = []
    for (const { path } of waiting) pieces.push(await this.#read(path))
    const rowsOfAll = decodeRows(pieces, this.#context.fields, `the segments of ${this.target}`)
    const prepared = await this.#within.prepare(at, rowsOfAll)
    this.#gatheredEpoch = at.epoch
    return prepared
  }

  async commit(at: SinkEpoch, prepared: PreparedOutput): Promise<void> {
    await this.#within.commit(at, prepared)
    if (prepared.files.length === 0) return
    failpoint('roll:after-publish')
    for (const [epoch, { path }] of this.#segments) {
      if (epoch > at.epoch) continue
      await removeFile(path, this.#fileSystem)
      this.#segments.delete(epoch)
    }
  }

  dueMs(): number | undefined {
    const [oldest] = this.#segments.values()
    return oldest && oldest.sinceMs + this.#roll.everyMs
  }

  waitingRows(): number {
    let rows = 0
    for (const [epoch, segment] of this.#segments) if (epoch > this.#gatheredEpoch) rows += segment.rows
    return rows
  }

  forget(epoch: number): Promise<void> {
    return this.#within.forget(epoch)
  }

  close(): Promise<void> {
    return this.#within.close()
  }

  get #own(): string {
    return join(this.#folder, String(this.#fence))
  }

  /** Gives the folders of older processes other names, each in one step: whatever such a process is doing, it finds its folder gone. */
  async #fenceOlder(): Promise<void> {
    for (const name of await this.#fileSystem.readdir(this.#folder)) {
      const [, fence, by = fence] = /^(\d+)(?:\.by-(\d+))?$/.exec(name) ?? []
      if (Number(by) > this.#fence) throw staleWriter(this.target, this.#fence)
      if (name === String(this.#fence)) continue
      const fenced = join(this.#folder, `${fence}.by-${this.#fence}`)
      await attempt('move', join(this.#folder, name), () => this.#fileSystem.rename(join(this.#folder, name), fenced))
    }
    await syncDirectory(this.#folder, this.#fileSystem)
  }

  /** Takes what older processes have left of certain epochs that are not published yet, and removes the rest. */
  async #takeSegments(published: number, certain: number): Promise<void> {
    for (const name of await this.#fileSystem.readdir(this.#folder)) {
      const folder = join(this.#folder, name)
      if (folder !== this.#own && !name.endsWith(`.by-${this.#fence}`)) throw staleWriter(this.target, this.#fence)
      for (const segment of await this.#fileSystem.readdir(folder)) {
        const epoch = Number(/^(\d+)\.rows$/.exec(segment)?.[1] ?? Number.NaN)
        if (epoch <= certain && epoch > published) await this.#take(join(folder, segment), join(this.#own, segment))
        else await removeFile(join(folder, segment), this.#fileSystem)
      }
      // What was taken is in its new place for good before the old one goes.
      await syncDirectory(this.#own, this.#fileSystem)
      if (folder !== this.#own) await removeTree(folder, this.#fileSystem)
    }
    await syncDirectory(this.#folder, this.#fileSystem)
  }

  async #found(): Promise<Map<number, Segment>> {
    const found: [number, Segment][] = []
    for (const name of await this.#fileSystem.readdir(this.#own)) {
      const path = join(this.#own, name)
      const { head, bytes } = await withFile(path, this.#fileSystem, async (file) => ({
        head: await readFully(file, path, CHECKSUM_BYTES, SINCE_BYTES + COUNT_BYTES),
        bytes: (await file.size()) - CHECKSUM_BYTES - SINCE_BYTES,
      }))
      const { sinceMs, rows } = told(head, this.#now())
      found.push([Number.parseInt(name, 10), { path, rows, bytes, sinceMs }])
    }
    return new Map(found.sort(([left], [right]) => left - right))
  }

  async #write(epoch: number, rows: ResultBatch): Promise<void> {
    const path = join(this.#own, `${epoch}.rows`)
    const sinceMs = this.#now()
    const since = new Uint8Array(SINCE_BYTES)
    new DataView(since.buffer).setFloat64(0, sinceMs, true)
    const content = encodeRows(rows)
    const checksum = new Uint8Array(CHECKSUM_BYTES)
    new DataView(checksum.buffer).setUint32(0, crc32c(content, crc32c(since)), true)
    await this.#orStale(() => writeDurableFile(path, [checksum, since, content], { overwrite: true }, this.#fileSystem))
    failpoint('roll:after-segment')
    this.#segments.set(epoch, { path, rows: rows.rowCount, bytes: content.length, sinceMs })
  }

  /** A segment that has no place any more because a newer process has taken the folder away is not the disk's fault. */
  async #orStale<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step()
    } catch (error) {
      if (!isMissing(error)) throw error
      const folders = await this.#fileSystem.readdir(this.#folder)
      throw folders.includes(String(this.#fence)) ? error : staleWriter(this.target, this.#fence)
    }
  }

  #now(): number {
    return this.#context.clock?.now() ?? Date.now()
  }

  /**
   * Gives a segment a second name, unless a process that died here has, and leaves the first one to whoever removes its folder: a file that is moved to another folder may have
   * neither name after a power cut, where a file system keeps its folders apart.
   */
  async #take(from: string, to: string): Promise<void> {
    if (from !== to) await publishFile(from, to, this.#fileSystem)
  }

  async #read(path: string): Promise<Uint8Array> {
    const bytes = await this.#orStale(() =>
      withFile(path, this.#fileSystem, async (file) => readFully(file, path, 0, await file.size())),
    )
    const content = bytes.subarray(CHECKSUM_BYTES)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (bytes.length >= CHECKSUM_BYTES && view.getUint32(0, true) === crc32c(content))
      return content.subarray(SINCE_BYTES)
    throw new MillraceError('corrupt-data', `the rows that wait in ${path} are damaged`, {
      hint: `restore ${dirname(dirname(dirname(path)))} and the checkpoint from a backup, or start over elsewhere`,
    })
  }
}

/** What a segment says of itself. One that is cut off says nothing: whoever reads its rows finds it damaged. */
function told(head: Uint8Array, nowMs: number): { readonly sinceMs: number; readonly rows: number } {
  if (head.length < SINCE_BYTES + COUNT_BYTES) return { sinceMs: nowMs, rows: 0 }
  const view = new DataView(head.buffer, head.byteOffset)
  const sinceMs = view.getFloat64(0, true)
  // A clock that was set back makes nobody wait for longer.
  return { sinceMs: sinceMs <= nowMs ? sinceMs : nowMs, rows: view.getUint32(SINCE_BYTES, true) }
}
