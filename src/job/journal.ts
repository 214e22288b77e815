import { join } from 'node:path'
import { type AppendFile, openAppendFile } from '../base/append-file.ts'
import { decodeText, encodeText } from '../base/bytes.ts'
import { removeFile } from '../base/durable-file.ts'
import { MillraceError } from '../base/error.ts'
import { readFileIfThere, readFully, syncFile, withFile } from '../base/file-io.ts'
import type { FileSystem } from '../base/file-system.ts'
import { encodeRecord, scanRecords } from '../base/record-file.ts'
import type { EpochPlan, WatermarkMark } from '../engine/epoch.ts'
import type { PreparedOutput } from '../sinks/sink.ts'
import type { EpochCounts } from './totals.ts'

/**
 * What a job is about to do and has done, in the order in which it became certain. Each process writes files of its own,
 * `journal-<fence>-<part>`, a new part after each snapshot; the first record of a file names the file before it and how much of it was
 * read: what a stale process writes behind that point is void.
 */
export class Journal {
  readonly #folder: string
  readonly #fence: number
  readonly #fileSystem: FileSystem
  #part = 0
  #name = ''
  #file: AppendFile | undefined
  /** The append before, however it ends. */
  #last: Promise<void> = Promise.resolve()

  private constructor(folder: string, fence: number, fileSystem: FileSystem) {
    this.#folder = folder
    this.#fence = fence
    this.#fileSystem = fileSystem
  }

  /** Begins the journal of a process; `after` is where reading of the older ones ended. */
  static async open(
    folder: string,
    fence: number,
    after: JournalEnd | undefined,
    fileSystem: FileSystem,
  ): Promise<Journal> {
    const journal = new Journal(folder, fence, fileSystem)
    await journal.#begin(after)
    return journal
  }

  /** Durable when it resolves; in the order of the calls. */
  append(record: JournalRecord): Promise<void> {
    const appended = this.#last.then(async () => {
      if (!this.#file) throw new Error('the journal is open')
      await write(this.#file, record)
    })
    this.#last = appended.catch(() => {})
    return appended
  }

  /** Goes on in a new file, so that the files before can be removed one day. When that fails, the old one is still in use. */
  async roll(): Promise<void> {
    const old = this.#file
    await this.#begin({ name: this.#name, length: old?.length ?? 0 })
    await old?.close()
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }

  async #begin(after: JournalEnd | undefined): Promise<void> {
    // A file that was begun in vain says nothing and is passed over: its number is not used again.
    const name = journalName(this.#fence, this.#part++)
    const file = await openAppendFile(join(this.#folder, name), this.#fileSystem)
    try {
      await write(file, { type: 'begin', fence: this.#fence, after: after ?? null })
    } catch (error) {
      await file.close()
      throw error
    }
    this.#file = file
    this.#name = name
  }
}

async function write(file: AppendFile, record: JournalRecord): Promise<void> {
  await file.append(encodeRecord(RECORD_TYPE, encodeText(JSON.stringify(record, writeTime))))
  await file.sync()
}

/** A line of the journal. */
export type JournalRecord =
  | { readonly type: 'begin'; readonly fence: number; readonly after: JournalEnd | null }
  | {
      readonly type: 'plan'
      readonly plan: EpochPlan
      readonly configHash: string
      readonly partitionIds: readonly string[]
    }
  | PreparedRecord
  | { readonly type: 'committed'; readonly epoch: number }

/** From this record on an epoch is certain. */
export interface PreparedRecord {
  readonly type: 'prepared'
  readonly epoch: number
  readonly watermarks: readonly WatermarkMark[]
  /** Hash of each query's rows, in the order of the engine's queries and their modes. */
  readonly hashes: readonly string[]
  readonly outputs: readonly SinkOutput[]
  readonly counts: EpochCounts
  /** Committed bytes of the dead-letter files after this epoch. */
  readonly deadLetters: readonly (readonly [string, number])[]
}

/** What a sink has prepared for an epoch. */
export interface SinkOutput {
  readonly sink: string
  readonly hash: string
  readonly output: PreparedOutput
}

/** How far a journal file was read. */
export interface JournalEnd {
  readonly name: string
  readonly length: number
}

/** All valid records of a checkpoint's journals, oldest first, and where a new journal has to say it goes on from. */
export interface JournalContent {
  readonly records: readonly JournalRecord[]
  readonly end: JournalEnd | undefined
  readonly fenceMax: number
}

/** Reads a folder's journals back from the newest file; a torn last record is no record, damage before it throws `corrupt-data`. */
export async function readJournals(folder: string, fileSystem: FileSystem): Promise<JournalContent> {
  const files = new Map<string, JournalFile>()
  const names = await journalNames(folder, fileSystem)
  for (const name of names) {
    const file = await readJournal(folder, name, fileSystem)
    if (file) files.set(name, file)
  }
  const newest = [...files.values()].at(-1)
  const records: JournalRecord[][] = []
  let lengthRead = Number.POSITIVE_INFINITY
  for (let file = newest; file; ) {
    const limit = lengthRead
    // Somebody has read more of it, so what does not fit any more is no torn write.
    if (limit !== Number.POSITIVE_INFINITY && file.length < limit)
      throw shortened(join(folder, file.name), file.length, limit)
    records.unshift(file.records.filter((entry) => entry.position < limit).map((entry) => entry.record))
    const { after } = file
    lengthRead = after?.length ?? 0
    // One that is gone was too old; one that is there and says nothing did say something when it was read.
    if (after && !files.has(after.name) && names.includes(after.name))
      throw shortened(join(folder, after.name), 0, after.length)
    file = after ? files.get(after.name) : undefined
  }
  return {
    records: records.flat(),
    end: newest && { name: newest.name, length: newest.length },
    // Also of files whose owner died before they said anything: nobody may append to those.
    fenceMax: Math.max(0, ...names.map(fenceOf)),
  }
}

interface JournalFile {
  readonly name: string
  readonly records: readonly { readonly record: JournalRecord; readonly position: number }[]
  readonly after: JournalEnd | null
  readonly length: number
}

async function readJournal(folder: string, name: string, fileSystem: FileSystem): Promise<JournalFile | undefined> {
  const path = join(folder, name)
  const scan = scanRecords(await syncedFile(path, fileSystem), path)
  const records = scan.records.map(({ payload, position }) => ({ record: parseRecord(payload, path), position }))
  const first = records[0]?.record
  // Its owner died before the file said anything.
  if (first === undefined) return undefined
  if (first.type !== 'begin') throw unordered(path)
  return { name, records, after: first.after, length: scan.validLength }
}

/** Removes the journals whose every epoch is at or below the one given, but for the newest file and those of newer processes. */
export async function removeOldJournals(
  folder: string,
  epoch: number,
  fence: number,
  fileSystem: FileSystem,
): Promise<void> {
  const names = await journalNames(folder, fileSystem)
  for (const name of names.slice(0, -1)) {
    if (fenceOf(name) > fence) return
    const path = join(folder, name)
    const bytes = await readFileIfThere(path, fileSystem)
    // A process that was taken over, or the one that took over, has removed it.
    if (bytes === undefined) continue
    const scan = scanRecords(bytes, path)
    const epochs = scan.records.map(({ payload }) => epochOf(parseRecord(payload, path)))
    if (epochs.some((one) => one > epoch)) return
    await removeFile(path, fileSystem)
  }
}

const RECORD_TYPE = 1

function journalName(fence: number, part: number): string {
  return `journal-${String(fence).padStart(10, '0')}-${String(part).padStart(10, '0')}.log`
}

function fenceOf(name: string): number {
  return Number(name.split('-')[1])
}

async function journalNames(folder: string, fileSystem: FileSystem): Promise<string[]> {
  return (await fileSystem.readdir(folder)).filter((name) => /^journal-\d{10}-\d{10}\.log$/.test(name)).sort()
}

/** What is read may be acted upon, so it must outlive a power cut, even if its writer died before it had synced it. */
function syncedFile(path: string, fileSystem: FileSystem): Promise<Uint8Array> {
  return withFile(path, fileSystem, async (file) => {
    await syncFile(file, path)
    return readFully(file, path, 0, await file.size())
  })
}

function parseRecord(payload: Uint8Array, path: string): JournalRecord {
  try {
    return JSON.parse(decodeText(payload), readTime) as JournalRecord
  } catch (error) {
    throw new MillraceError('corrupt-data', `a record of ${path} has the right checksum but is no JSON`, {
      hint: 'it was written by something else than millrace',
      cause: error,
    })
  }
}

function epochOf(record: JournalRecord): number {
  switch (record.type) {
    case 'begin':
      return 0
    case 'plan':
      return record.plan.epoch
    case 'prepared':
    case 'committed':
      return record.epoch
  }
}

/** A watermark before any event is -Infinity, which JSON lacks. */
function writeTime(_key: string, value: unknown): unknown {
  if (value === Number.NEGATIVE_INFINITY) return '-infinity'
  return value === Number.POSITIVE_INFINITY ? 'infinity' : value
}

function readTime(key: string, value: unknown): unknown {
  if (!key.endsWith('Ms')) return value
  if (value === '-infinity') return Number.NEGATIVE_INFINITY
  return value === 'infinity' ? Number.POSITIVE_INFINITY : value
}

function shortened(path: string, length: number, lengthRead: number): MillraceError {
  return new MillraceError(
    'corrupt-data',
    `${path} is damaged: its records end at byte ${length}, and have ended at ${lengthRead}`,
    {
      hint: 'restore the checkpoint folder from a backup, or start over with another --checkpoint folder and another --output',
    },
  )
}

function unordered(path: string): MillraceError {
  return new MillraceError('corrupt-data', `${path} does not begin with where it goes on from`, {
    hint: 'restore the checkpoint folder from a backup, or start over with another --checkpoint folder and another --output',
  })
}
