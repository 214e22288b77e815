import { join } from 'node:path'
import { createDirectory, removeFile, syncDirectory } from '../base/durable-file.ts'
import { MillraceError } from '../base/error.ts'
import { attempt } from '../base/file-io.ts'
import { type FileSystem, nodeFileSystem } from '../base/file-system.ts'
import { acquireLock, type LockFile, type LockTakeOver } from '../base/lock-file.ts'
import { CommandFolder } from './command-folder.ts'
import { Journal, type JournalRecord, readJournals, removeOldJournals } from './journal.ts'
import { readSnapshot, SNAPSHOT_NAME, type Snapshot, snapshotName, writeSnapshot } from './snapshot-file.ts'

/** Snapshots that are kept; older ones go with the journals that only they need. */
const SNAPSHOTS_KEPT = 3

/** What a checkpoint holds when it is opened. */
export interface CheckpointContent {
  /** Undefined at the first start. */
  readonly snapshot: Snapshot | undefined
  /** Journal records, oldest first. */
  readonly records: readonly JournalRecord[]
  /** What had to be put aside, in words. */
  readonly notices: readonly string[]
}

/** What durable state is kept on; the machine's own by default, a twin in tests. */
export interface CheckpointDisk {
  readonly fileSystem?: FileSystem
  readonly lock?: typeof acquireLock
  /** What becomes of another process that has the checkpoint; it keeps it by default. */
  readonly lockTakeOver?: LockTakeOver
}

/**
 * The folder that makes a job survive: a lock, snapshots and journals. One process at a time owns it.
 *
 *   lock   journal-<fence>-<part>.log   snapshot-<epoch>.bin   quarantine/   commands/
 */
export class Checkpoint {
  readonly folder: string
  /** Number of this process in the order of owners; sinks shut out whoever comes with a smaller one. */
  readonly fence: number
  readonly content: CheckpointContent
  readonly commands: CommandFolder
  readonly #fileSystem: FileSystem
  readonly #lock: LockFile
  readonly #journal: Journal
  readonly #snapshotEpochs: number[]

  private constructor(
    folder: string,
    fence: number,
    content: CheckpointContent,
    fileSystem: FileSystem,
    lock: LockFile,
    journal: Journal,
    snapshotEpochs: number[],
  ) {
    this.folder = folder
    this.fence = fence
    this.content = content
    this.commands = new CommandFolder(folder, fileSystem)
    this.#fileSystem = fileSystem
    this.#lock = lock
    this.#journal = journal
    this.#snapshotEpochs = snapshotEpochs
  }

  /** Locks the folder, reads what is in it, and begins a journal under the next fence. Creates the folder when it is missing. */
  static async open(folder: string, owner: string, disk: CheckpointDisk = {}): Promise<Checkpoint> {
    const { fileSystem = nodeFileSystem, lock: takeLock = acquireLock } = disk
    await createDirectory(folder, fileSystem)
    const lock = await takeLock(join(folder, 'lock'), owner, disk.lockTakeOver)
    try {
      const notices: string[] = []
      const epochs = await snapshotEpochs(folder, fileSystem)
      const snapshot = await newestSnapshot(folder, epochs, notices, fileSystem)
      const journals = await readJournals(folder, fileSystem)
      if (snapshot === undefined && journals.records.some((record) => record.type === 'plan')) throw stateLost(folder)
      const fence = Math.max(journals.fenceMax, snapshot?.header.fence ?? 0) + 1
      const journal = await Journal.open(folder, fence, journals.end, fileSystem)
      const content = { snapshot, records: journals.records, notices }
      return new Checkpoint(folder, fence, content, fileSystem, lock, journal, epochs)
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  /** Durable when it resolves. */
  append(record: JournalRecord): Promise<void> {
    return this.#journal.append(record)
  }

  /** Keeps a snapshot and lets go of what no kept one needs. Resolves to its size in bytes. */
  async save(snapshot: Snapshot): Promise<number> {
    await this.assertOwned()
    const epoch = snapshot.header.epoch
    const files = this.#fileSystem
    const bytes = await writeSnapshot(join(this.folder, snapshotName(epoch)), snapshot, files)
    await this.#journal.roll()
    if (this.#snapshotEpochs.at(-1) !== epoch) this.#snapshotEpochs.push(epoch)
    while (this.#snapshotEpochs.length > SNAPSHOTS_KEPT) {
      await removeFile(join(this.folder, snapshotName(this.#snapshotEpochs.shift() as number)), files)
    }
    await removeOldJournals(this.folder, this.#snapshotEpochs[0] as number, this.fence, files)
    await syncDirectory(this.folder, files)
    return bytes
  }

  /** Throws `incompatible-state` when another process has taken the checkpoint over. */
  async assertOwned(): Promise<void> {
    if (await this.#lock.held()) return
    throw new MillraceError('incompatible-state', `${this.folder} has been taken over by another process`, {
      hint: 'that process goes on with the pipeline: nothing is to be done here',
    })
  }

  /** What only epochs up to this one need is needed no more. */
  get oldestSnapshotEpoch(): number {
    return this.#snapshotEpochs[0] ?? 0
  }

  async close(): Promise<void> {
    await this.#journal.close()
    await this.#lock.release()
  }
}

/** Epochs of the folder's snapshots, ascending. */
async function snapshotEpochs(folder: string, fileSystem: FileSystem): Promise<number[]> {
  const epochs: number[] = []
  for (const name of await fileSystem.readdir(folder)) {
    const match = SNAPSHOT_NAME.exec(name)
    if (match) epochs.push(Number(match[1]))
  }
  return epochs.sort((left, right) => left - right)
}

/** The newest one that can be read; damaged ones are moved aside and taken out of `epochs`. */
async function newestSnapshot(
  folder: string,
  epochs: number[],
  notices: string[],
  fileSystem: FileSystem,
): Promise<Snapshot | undefined> {
  while (epochs.length > 0) {
    const name = snapshotName(epochs.at(-1) as number)
    try {
      return await readSnapshot(join(folder, name), fileSystem)
    } catch (error) {
      if (!(error instanceof MillraceError && error.code === 'corrupt-data')) throw error
      const quarantine = join(folder, 'quarantine')
      await createDirectory(quarantine, fileSystem)
      await attempt('move', name, () => fileSystem.rename(join(folder, name), join(quarantine, name)))
      await syncDirectory(quarantine, fileSystem)
      notices.push(`${error.message}; it is now in ${quarantine}`)
      epochs.pop()
    }
  }
  return undefined
}

function stateLost(folder: string): MillraceError {
  return new MillraceError(
    'incompatible-state',
    `the checkpoint in ${folder} has journals but no snapshot that can be read`,
    {
      hint: 'restore the folder from a backup, or start over with another --checkpoint folder and another --output',
    },
  )
}
