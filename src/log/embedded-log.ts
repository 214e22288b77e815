import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { decodeText, encodeText } from '../base/bytes.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { createDirectory, writeDurableFile } from '../base/durable-file.ts'
import { MillraceError } from '../base/error.ts'
import { readFileIfThere } from '../base/file-io.ts'
import { type FileSystem, nodeFileSystem } from '../base/file-system.ts'
import { acquireLock, type LockFile } from '../base/lock-file.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import { FramePool } from './frame-pool.ts'
import { GroupCommit } from './group-commit.ts'
import type { AppendResult, Log, PartitionOffsets, RecordBatchDraft, TopicDescription, TopicSettings } from './log.ts'
import { unknownPartition } from './log-error.ts'
import { PartitionReader } from './partition-reader.ts'
import { recoverPartition } from './partition-recovery.ts'
import { PartitionWriter } from './partition-writer.ts'
import { type PublishedEnd, readPublishedEnd } from './published-end.ts'
import { TopicCatalog } from './topic-catalog.ts'
import { checkSameSettings, checkTopic } from './topic-settings.ts'

/**
 * When an append counts: `always`: after a sync of its own (of those that came together); `interval`: after one that all partitions' appends
 * of 5 ms share; `never`: once the system has it, so that a power cut may lose it, and its offsets are given out again.
 */
export type FsyncPolicy = 'always' | 'interval' | 'never'

/** How the log is opened. */
export interface EmbeddedLogOptions {
  /** One process writes; any number of others read. A writer reads as well. */
  readonly mode: 'write' | 'read'
  /** `interval` by default. */
  readonly fsync?: FsyncPolicy
  /** Who holds the log, for another process that would write. */
  readonly who?: string
  readonly clock?: Clock
  readonly fileSystem?: FileSystem
  readonly lock?: (path: string, who: string) => Promise<LockFile>
}

/**
 * Opens the log in a folder; a writer creates it when it is missing. Throws `unavailable` that names the holder when another process writes it,
 * and `corrupt-data` or `data-loss` when what was durable is not there any more.
 */
export async function openEmbeddedLog(root: string, options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const fileSystem = options.fileSystem ?? nodeFileSystem
  const folder = resolve(root)
  if (options.mode === 'read') return new EmbeddedLog(folder, await readId(folder, fileSystem), options)
  await createDirectory(folder, fileSystem)
  const lock = await (options.lock ?? acquireLock)(`${folder}/lock`, options.who ?? 'millrace')
  try {
    const log = new EmbeddedLog(folder, await readOrCreateId(folder, fileSystem), options, lock)
    await log.recover()
    return log
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** Whether somebody has made a log in this folder. */
export async function holdsLog(root: string): Promise<boolean> {
  return (await readFileIfThere(idPath(resolve(root)), nodeFileSystem)) !== undefined
}

/** Topics as files in a folder, in the form in which a Kafka broker stores them: its dump tool reads the segments. */
export class EmbeddedLog implements Log {
  readonly kind = 'embedded'
  readonly name: string
  readonly root: string
  readonly #clock: Clock
  readonly #fileSystem: FileSystem
  readonly #fsync: FsyncPolicy
  readonly #groupCommit: GroupCommit
  readonly #catalog: TopicCatalog
  readonly #topics = new Map<string, Topic>()
  readonly #frames = new FramePool()
  readonly #closing = new AbortController()
  #lock: LockFile | undefined
  #closed: Promise<void> | undefined
  /** One topic is created at a time. */
  #creations: Promise<void> = Promise.resolve()

  /** Use `openEmbeddedLog`. Without a lock the log is read-only. */
  constructor(root: string, id: string, options: EmbeddedLogOptions, lock?: LockFile) {
    this.root = root
    this.name = `embedded-log-${id}`
    this.#clock = options.clock ?? systemClock
    this.#fileSystem = options.fileSystem ?? nodeFileSystem
    this.#fsync = options.fsync ?? 'interval'
    this.#groupCommit = new GroupCommit(this.#clock, COMMIT_INTERVAL_MS)
    this.#catalog = new TopicCatalog(root, this.#fileSystem)
    this.#lock = lock
  }

  /** What recovery had to cut off, in words. */
  get notices(): readonly string[] {
    const partitions = [...this.#topics.values()].flatMap((topic) => topic.partitions)
    return partitions.map(({ notice }) => notice).filter((notice) => notice !== undefined)
  }

  async createTopic(topic: string, settings: TopicSettings): Promise<void> {
    this.#assertWritable()
    checkTopic(topic, settings)
    const creation = this.#creations.then(() => this.#createIfMissing(topic, settings))
    this.#creations = creation.catch(() => {}) // Whoever asked for it is told.
    return creation
  }

  async describeTopic(topic: string): Promise<TopicDescription | undefined> {
    const found = await this.#findTopic(topic)
    if (!found) return undefined
    return {
      topic,
      settings: found.settings,
      offsets: await Promise.all(found.partitions.map(async (partition) => offsetsOf(await partition.published()))),
      bytes: (await Promise.all(found.partitions.map(({ reader }) => reader.sizeBytes()))).reduce((a, b) => a + b, 0),
    }
  }

  async listTopics(): Promise<readonly TopicDescription[]> {
    const topics = await Promise.all((await this.#catalog.list()).map((topic) => this.describeTopic(topic)))
    return topics.filter((description) => description !== undefined)
  }

  async append(topic: string, partition: number, draft: RecordBatchDraft): Promise<AppendResult> {
    this.#assertWritable()
    return this.#writer(topic, partition).append(draft)
  }

  async read(
    topic: string,
    partition: number,
    fromOffset: number,
    bytesMax: number,
  ): Promise<readonly EncodedRecords[]> {
    return (await this.#partition(topic, partition)).reader.read(fromOffset, bytesMax)
  }

  async offsets(topic: string, partition: number): Promise<PartitionOffsets> {
    return offsetsOf(await (await this.#partition(topic, partition)).published())
  }

  /** Resolves too when the log is closed. */
  async waitForRecords(topic: string, partition: number, offset: number, signal: AbortSignal): Promise<void> {
    const { published, writer } = await this.#partition(topic, partition)
    if (writer) return writer.waiters.wait(offset, writer.published.endOffset, signal)
    const stop = AbortSignal.any([signal, this.#closing.signal])
    while (!stop.aborted && (await published()).endOffset <= offset) await this.#clock.sleep(POLL_INTERVAL_MS, stop)
  }

  /** Retention leaves the records from this offset on: a checkpoint may need them. Forgotten when the log is closed. */
  keepFrom(topic: string, partition: number, offset: number): void {
    this.#writer(topic, partition).keepFrom(offset)
  }

  /** Serves the appends that were asked for, then lets the next writer in. Once: whoever asks again waits for the same end. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#closing.abort()
    const lock = this.#lock
    this.#lock = undefined
    const partitions = [...this.#topics.values()].flatMap((topic) => topic.partitions)
    await Promise.all(partitions.map(({ writer }) => writer?.close()))
    await lock?.release()
  }

  /** Makes every partition fit for appending; once, before anything else. */
  async recover(): Promise<void> {
    for (const topic of await this.#catalog.list()) {
      const settings = await this.#catalog.read(topic)
      if (settings) this.#topics.set(topic, await this.#openTopic(topic, settings))
    }
  }

  async #createIfMissing(topic: string, settings: TopicSettings): Promise<void> {
    const existing = await this.#catalog.read(topic)
    if (existing) return checkSameSettings(topic, existing, settings)
    this.#topics.set(topic, await this.#openTopic(topic, await this.#catalog.create(topic, settings)))
  }

  async #openTopic(topic: string, settings: TopicSettings): Promise<Topic> {
    const partitions = Array.from({ length: settings.partitions }, (_, partition) =>
      this.#openPartition(this.#catalog.partitionFolder(topic, partition), `${topic}-${partition}`, settings),
    )
    return { settings, partitions: await Promise.all(partitions) }
  }

  async #openPartition(folder: string, what: string, settings: TopicSettings): Promise<Partition> {
    const fileSystem = this.#fileSystem
    if (!this.#lock) {
      const published = (): Promise<PublishedEnd> => readPublished(folder, fileSystem)
      return { published, reader: new PartitionReader(folder, what, fileSystem, this.#frames, published) }
    }
    const recovered = await recoverPartition(folder, what, fileSystem)
    const writer = new PartitionWriter(recovered, {
      folder,
      settings,
      clock: this.#clock,
      fileSystem,
      sync: this.#fsync !== 'never',
      requestCommit: this.#fsync === 'interval' ? (partition) => this.#groupCommit.request(partition) : undefined,
    })
    const published = async (): Promise<PublishedEnd> => writer.published
    return {
      published,
      reader: new PartitionReader(folder, what, fileSystem, this.#frames, published),
      writer,
      notice: recovered.notice,
    }
  }

  async #findTopic(topic: string): Promise<Topic | undefined> {
    const known = this.#topics.get(topic)
    if (known || this.#lock) return known
    const settings = await this.#catalog.read(topic)
    if (!settings) return undefined
    const opened = await this.#openTopic(topic, settings)
    this.#topics.set(topic, opened)
    return opened
  }

  async #partition(topic: string, partition: number): Promise<Partition> {
    const found = await this.#findTopic(topic)
    if (!found) throw unknownPartition(topic)
    return partitionIn(found, topic, partition)
  }

  #writer(topic: string, partition: number): PartitionWriter {
    const found = this.#topics.get(topic)
    if (!found) throw unknownPartition(topic)
    const { writer } = partitionIn(found, topic, partition)
    if (!writer) throw readOnly(this.root)
    return writer
  }

  #assertWritable(): void {
    if (!this.#lock) throw readOnly(this.root)
  }
}

interface Topic {
  readonly settings: TopicSettings
  readonly partitions: readonly Partition[]
}

interface Partition {
  readonly published: () => Promise<PublishedEnd>
  readonly reader: PartitionReader
  /** Undefined when the log is open for reading. */
  readonly writer?: PartitionWriter
  readonly notice?: string | undefined
}

const COMMIT_INTERVAL_MS = 5
const POLL_INTERVAL_MS = 50

function partitionIn(found: Topic, topic: string, partition: number): Partition {
  if (partition < 0 || partition >= found.partitions.length) throw unknownPartition(topic, partition)
  return found.partitions[partition]
}

function offsetsOf(published: PublishedEnd): PartitionOffsets {
  return { start: published.startOffset, end: published.endOffset }
}

async function readPublished(folder: string, fileSystem: FileSystem): Promise<PublishedEnd> {
  const published = await readPublishedEnd(folder, fileSystem)
  if (published) return published
  throw new MillraceError('corrupt-data', `${folder}/published is missing or damaged`, {
    hint: 'start the process that writes this log: it finds the end again',
  })
}

/** The log is known by a number of its own, so that a new log in an old place is not taken for the old one. */
async function readOrCreateId(root: string, fileSystem: FileSystem): Promise<string> {
  if (!(await readFileIfThere(idPath(root), fileSystem))) {
    const id = encodeText(`${randomBytes(8).toString('hex')}\n`)
    await writeDurableFile(idPath(root), id, { overwrite: false }, fileSystem)
  }
  return readId(root, fileSystem)
}

async function readId(root: string, fileSystem: FileSystem): Promise<string> {
  const bytes = await readFileIfThere(idPath(root), fileSystem)
  if (!bytes) {
    throw new MillraceError('invalid-option', `there is no log in ${root}`, {
      hint: 'check the folder; the first producer makes the log: `millrace generate`, with the --preset of the run if it has one, or `millrace produce`',
    })
  }
  return decodeText(bytes).trim()
}

function idPath(root: string): string {
  return `${root}/log-id`
}

function readOnly(root: string): MillraceError {
  return new MillraceError('invalid-option', `the log in ${root} is not open for writing`, {
    hint: 'open it with mode "write", in one process at a time',
  })
}
