import type { Clock } from '../base/clock.ts'
import { MillraceError } from '../base/error.ts'
import type { FileSystem } from '../base/file-system.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { Field } from '../batch/schema.ts'
import type { Log } from '../log/log.ts'

/**
 * Where a query's rows go, exactly once. The job calls `open` once, then for each epoch `prepare` and, when the epoch is certain,
 * `commit`; after a crash it calls `commit` again with what `prepare` gave, as often as it takes. Calls to one sink never overlap: an epoch
 * is prepared when the one before is committed. Other sinks work at the same time. A call that fails as `unavailable` is made again, with
 * growing pauses, until it works or the job is stopped; any other error ends the job, and the next start finds out what became of the
 * epoch. Adding a sink is a file with a factory and a line in `index.ts`; `contract.test.ts` runs over the table.
 */
export interface Sink {
  /** `<query>.<kind>` unless the pipeline gives it a name. */
  readonly name: string
  /** Where people find the rows, such as a folder. */
  readonly target: string
  /** A best-effort view that keeps nothing: it has no part in recovery and an error in it stops nobody. */
  readonly view: boolean
  /** Reads the mark of the last committed epoch, changes nothing; undefined when this sink has never committed one. */
  progress(): Promise<SinkProgress | undefined>
  /**
   * True when this sink's mark moves with every epoch, also one without rows. Such a sink throws `SinkBehind` from `commit` when epochs
   * before are missing, and is then given them again.
   */
  readonly marksEveryEpoch?: boolean
  /**
   * Shuts out every older writer, and from now on works under this fence. Throws `incompatible-state` when a newer one has been here.
   * A sink that has never committed anything begins behind `start.epoch`.
   */
  open(fence: number, start?: SinkStart): Promise<SinkProgress | undefined>
  /**
   * Makes the rows durable but invisible. Repeatable: what an earlier attempt left is replaced. What it resolves to is recorded in the
   * journal as JSON and handed to `commit`, maybe by another process.
   */
  prepare(epoch: SinkEpoch, rows: ResultBatch): Promise<PreparedOutput>
  /** Makes the prepared rows visible. Does nothing when that has been done already. Retried on `unavailable`; any other error stops the job. */
  commit(epoch: SinkEpoch, prepared: PreparedOutput): Promise<void>
  /** When this sink wants an epoch although there may be no rows, ms; undefined when nothing waits in it. */
  dueMs?(): number | undefined
  /** Rows of earlier epochs that are durable here and wait to be published; absent in a sink that publishes each epoch at once. */
  waitingRows?(): number
  /** Removes what prepared epochs up to and including `epoch` left behind that nobody needs any more. */
  forget(epoch: number): Promise<void>
  close(): Promise<void>
}

/** The epoch that a sink is asked to prepare or commit. */
export interface SinkEpoch {
  readonly epoch: number
  readonly previous: number
  readonly fence: number
  /** Hash of this epoch's rows for this sink, hex. */
  readonly hash: string
  /** No further epoch follows for now: what waits to be published shall be. Only `prepare` is told. */
  readonly final?: boolean
}

/** Where a sink begins that has no mark. */
export interface SinkStart {
  /** The last certain epoch. */
  readonly epoch: number
  /** Take a mark that is there for void: the user has asked for it. */
  readonly reset: boolean
}

/** The last epoch that a sink has committed. */
export interface SinkProgress {
  readonly epoch: number
  readonly fence: number
  readonly hash: string
}

/** Plain JSON data. */
export interface PreparedOutput {
  readonly rows: number
  readonly bytes: number
  readonly files: readonly PreparedFile[]
  /** Rows that wait in the checkpoint, for sinks that are no folders of files. */
  readonly outbox?: PreparedFile
}

/** A file that is ready to be seen. */
export interface PreparedFile {
  /** Path below the sink's folder where the file will be seen. */
  readonly path: string
  readonly rows: number
  readonly bytes: number
  /** CRC-32C of the content. */
  readonly crc: number
}

/** What a sink is made for. */
export interface SinkContext {
  readonly pipeline: string
  readonly query: string
  readonly name: string
  readonly fields: readonly Field[]
  readonly keyColumns: readonly string[]
  /** Folder that relative paths start from. */
  readonly workingFolder: string
  /** Where this sink may keep rows that are certain but not yet committed; undefined for a run that keeps nothing to go on from. */
  readonly outboxFolder?: string
  /** Folder of Millrace's own things, where the result store is by default. */
  readonly homeFolder?: string
  /** Addresses of servers, as the environment has them. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Says whose output a folder holds: the checkpoint it is written from. */
  readonly owner: string
  /** Connects to Kafka, on first use; throws `invalid-option` when no cluster was named. */
  readonly openKafka?: (() => Promise<Log>) | undefined
  /** Identity of the checkpoint, the same wherever its folder is moved to; `owner` when absent. */
  readonly runId?: string
  /** The machine's when absent. */
  readonly clock?: Clock
  /** Where files go; the machine's by default. */
  readonly fileSystem?: FileSystem
  /** Where views print. */
  readonly print: (text: string) => void
}

/** A store has lost epochs that were committed to it, as a restored server has. */
export class SinkBehind extends MillraceError {
  /** The last epoch that the store has. */
  readonly epoch: number

  constructor(sink: string, epoch: number, expected: number) {
    super('data-loss', `the sink ${sink} lost epochs: it is at epoch ${epoch}, and had committed epoch ${expected}`, {
      hint: 'what it lost is not kept any more: bring back a newer state of it, or go on without with --reset-sink NAME',
    })
    this.epoch = epoch
  }
}
