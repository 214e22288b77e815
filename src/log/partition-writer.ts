import { basename } from 'node:path'
import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import { type AppendFile, openAppendFile, removeFile, syncDirectory } from '../base/durable-file.ts'
import { failpoint } from '../base/failpoint.ts'
import type { FileSystem } from '../base/file-system.ts'
import type { Committable } from './group-commit.ts'
import type { AppendResult, RecordBatchDraft, TopicSettings } from './log.ts'
import { misplaced } from './log-error.ts'
import type { RecoveredPartition } from './partition-recovery.ts'
import { EndPublisher, type PublishedEnd } from './published-end.ts'
import { BATCH_HEADER_BYTES, encodeBatchHeader } from './record-batch.ts'
import { expiredSegments, isFull, type SegmentFacts } from './retention.ts'
import { segmentName } from './segment.ts'
import { Waiters } from './waiters.ts'

/** What a partition is written with. */
export interface PartitionWriterOptions {
  readonly folder: string
  readonly settings: TopicSettings
  readonly clock: Clock
  readonly fileSystem: FileSystem
  /** True: appends are acknowledged, and readable, once they are synced; false: once they are written. */
  readonly sync: boolean
  /** Asks for `commit` after some time; without it each append is committed at once. */
  readonly requestCommit: ((partition: Committable) => void) | undefined
}

/**
 * Appends to one partition. Drafts that come while the disk is busy are written together.
 *
 *     append -> queue -> written (one system call for many) -> synced -> published -> acknowledged
 *
 * After a failed sync the partition is broken: what waits and what comes is rejected with that error.
 */
export class PartitionWriter implements Committable {
  readonly waiters: Waiters = new Waiters()
  readonly #options: PartitionWriterOptions
  readonly #segments: SegmentFacts[]
  readonly #queue: QueuedAppend[] = []
  /** Written but not acknowledged, in order. */
  #written: WrittenAppend[] = []
  #published: PublishedEnd
  #endOffset: number
  #keepFrom = Number.POSITIVE_INFINITY
  #writing = false
  #drained: Promise<void> = Promise.resolve()
  /** Commits and removals, one after the other. */
  #publications: Promise<void> = Promise.resolve()
  #files: Promise<OpenFiles> | undefined
  #broken: unknown

  constructor(recovered: RecoveredPartition, options: PartitionWriterOptions) {
    this.#options = options
    this.#segments = [...recovered.segments]
    this.#published = recovered.published
    this.#endOffset = recovered.published.endOffset
  }

  /** How far the partition may be read. */
  get published(): PublishedEnd {
    return this.#published
  }

  append(draft: RecordBatchDraft): Promise<AppendResult> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ draft, resolve, reject })
      if (!this.#writing) this.#drained = this.#drain()
    })
  }

  /** Retention leaves the records from this offset on. */
  keepFrom(offset: number): void {
    this.#keepFrom = offset
  }

  /** Makes durable what was written so far, publishes it, and acknowledges it. */
  commit(): Promise<void> {
    return this.#inTurn(() => this.#commitWritten())
  }

  /** Serves what is queued, commits, and closes the files. */
  async close(): Promise<void> {
    await this.#drained
    await this.commit()
    const files = await this.#files?.catch(() => undefined)
    if (files && this.#broken === undefined) await files.publisher.sync()
    await files?.segment.close()
    await files?.publisher.close()
    this.waiters.wakeAll()
  }

  async #drain(): Promise<void> {
    this.#writing = true
    while (this.#queue.length > 0) {
      const now = this.#options.clock.now()
      const group = this.#fitting(this.#takeGroup(now))
      if (group.length === 0) continue
      try {
        if (this.#broken !== undefined) throw this.#broken
        await this.#write(group, now)
      } catch (error) {
        for (const { reject } of group) reject(error)
        continue
      }
      await this.#dropExpired(now).catch((error: unknown) => this.#break(error))
      if (this.#options.requestCommit) this.#options.requestCommit(this)
      else await this.commit()
    }
    this.#writing = false
  }

  /** The next drafts that fit into one write and, together, into one segment. */
  #takeGroup(nowMs: number): QueuedAppend[] {
    const { settings } = this.#options
    const active = this.#active()
    const rolls = isFull(active, batchBytes(this.#queue[0].draft), nowMs, settings)
    const target = rolls ? emptySegment(this.#endOffset) : active
    let groupBytes = 0
    let count = 0
    for (; count < this.#queue.length; count++) {
      const nextBytes = batchBytes(this.#queue[count].draft)
      const full = isFull({ ...target, bytes: target.bytes + groupBytes }, nextBytes, nowMs, settings)
      if (count > 0 && (full || groupBytes + nextBytes > WRITE_BYTES_MAX)) break
      groupBytes += nextBytes
    }
    return this.#queue.splice(0, count)
  }

  /** Leaves out, and rejects, the drafts whose place is not where they would come to lie. */
  #fitting(group: readonly QueuedAppend[]): readonly QueuedAppend[] {
    let offset = this.#endOffset
    return group.filter(({ draft, reject }) => {
      const problem = misplaced(basename(this.#options.folder), draft, offset)
      if (problem) reject(problem)
      else offset += draft.recordCount
      return problem === undefined
    })
  }

  async #write(group: readonly QueuedAppend[], nowMs: number): Promise<void> {
    const { settings } = this.#options
    if (isFull(this.#active(), batchBytes(group[0].draft), nowMs, settings)) await this.#roll()
    const { segment } = await this.#openFiles()
    const chunks: Uint8Array[] = []
    let offset = this.#endOffset
    for (const { draft } of group) {
      chunks.push(encodeBatchHeader(draft, offset, nowMs), draft.records)
      offset += draft.recordCount
    }
    await segment.append(chunks)
    const active = this.#active()
    this.#segments[this.#segments.length - 1] = {
      ...active,
      bytes: segment.length,
      firstAppendMs: active.firstAppendMs ?? nowMs,
    }
    for (const queued of group) {
      this.#written.push({ ...queued, result: { baseOffset: this.#endOffset, appendTimestamp: nowMs } })
      this.#endOffset += queued.draft.recordCount
    }
  }

  /** Closed segments are always durable, whatever the policy: recovery looks at the last one only. */
  async #roll(): Promise<void> {
    await this.commit()
    if (this.#broken !== undefined) throw this.#broken
    const files = await this.#openFiles()
    await files.segment.sync()
    await files.publisher.sync()
    failpoint('log:before-roll')
    const path = `${this.#options.folder}/${segmentName(this.#endOffset)}`
    const segment = await openAppendFile(path, this.#options.fileSystem)
    failpoint('log:after-roll')
    this.#files = Promise.resolve({ ...files, segment })
    this.#segments.push(emptySegment(this.#endOffset))
    await files.segment.close()
  }

  async #commitWritten(): Promise<void> {
    if (this.#broken !== undefined) return this.#break(this.#broken)
    const endOffset = this.#endOffset
    if (endOffset === this.#published.endOffset) return
    const active = this.#active()
    const { sync } = this.#options
    try {
      const { segment, publisher } = await this.#openFiles()
      if (sync) await segment.sync()
      const { startOffset } = this.#published
      await this.#publish(publisher, {
        startOffset,
        endOffset,
        segmentBase: active.baseOffset,
        segmentBytes: active.bytes,
        synced: sync,
      })
    } catch (error) {
      return this.#break(error)
    }
    const done = this.#written.filter(({ result }) => result.baseOffset < endOffset)
    this.#written = this.#written.slice(done.length)
    for (const { resolve, result } of done) resolve(result)
    this.waiters.wake(endOffset)
  }

  /** Readers learn first that the oldest records are gone, then the files go, durably one by one: a power cut leaves no hole. */
  async #dropExpired(nowMs: number): Promise<void> {
    const { settings, folder, fileSystem } = this.#options
    const count = expiredSegments(this.#segments, settings, nowMs, this.#keepFrom)
    if (count === 0) return
    await this.#inTurn(async () => {
      const { publisher } = await this.#openFiles()
      await this.#publish(publisher, { ...this.#published, startOffset: this.#segments[count].baseOffset })
    })
    for (const { baseOffset } of this.#segments.splice(0, count)) {
      await removeFile(`${folder}/${segmentName(baseOffset)}`, fileSystem)
      await syncDirectory(folder, fileSystem)
    }
  }

  async #publish(publisher: EndPublisher, end: PublishedEnd): Promise<void> {
    await publisher.publish(end)
    this.#published = end
  }

  #break(error: unknown): void {
    this.#broken = error
    for (const { reject } of this.#written) reject(error)
    this.#written = []
  }

  #inTurn(publication: () => Promise<void>): Promise<void> {
    const turn = this.#publications.then(publication)
    this.#publications = turn.catch(() => {}) // Whoever asked for it is told.
    return turn
  }

  #openFiles(): Promise<OpenFiles> {
    this.#files ??= openFiles(this.#options, this.#active()).catch((error: unknown) => {
      this.#files = undefined
      throw error
    })
    return this.#files
  }

  #active(): SegmentFacts {
    const active = this.#segments.at(-1)
    assert(active, 'a partition has a segment')
    return active
  }
}

interface QueuedAppend {
  readonly draft: RecordBatchDraft
  readonly resolve: (result: AppendResult) => void
  readonly reject: (error: unknown) => void
}

interface WrittenAppend extends QueuedAppend {
  readonly result: AppendResult
}

interface OpenFiles {
  readonly segment: AppendFile
  readonly publisher: EndPublisher
}

/** Enough for one system call to cost nothing. */
const WRITE_BYTES_MAX = 8 * 1024 * 1024

async function openFiles(options: PartitionWriterOptions, active: SegmentFacts): Promise<OpenFiles> {
  const segment = await openAppendFile(`${options.folder}/${segmentName(active.baseOffset)}`, options.fileSystem)
  assert(segment.length === active.bytes, 'nobody else writes a segment')
  return { segment, publisher: await EndPublisher.open(options.folder, options.fileSystem) }
}

function emptySegment(baseOffset: number): SegmentFacts {
  return { baseOffset, bytes: 0, firstAppendMs: undefined }
}

function batchBytes(draft: RecordBatchDraft): number {
  return BATCH_HEADER_BYTES + draft.records.length
}
