import type { FileSystem } from '../base/file-system.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { Field } from '../batch/schema.ts'

/**
 * Where a query's rows go, exactly once. The job calls `open` once, then for each epoch `prepare` and, when the epoch is certain,
 * `commit`; after a crash it calls `commit` again with what `prepare` gave, as often as it takes. Adding a sink is a file with
 * a factory and a line in `index.ts`; `contract.test.ts` runs over the table.
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
  /** Shuts out every older writer, and from now on works under this fence. Throws `incompatible-state` when a newer one has been here. */
  open(fence: number): Promise<SinkProgress | undefined>
  /**
   * Makes the rows durable but invisible. Repeatable: what an earlier attempt left is replaced. What it resolves to is recorded in the
   * journal as JSON and handed to `commit`, maybe by another process.
   */
  prepare(epoch: SinkEpoch, rows: ResultBatch): Promise<PreparedOutput>
  /** Makes the prepared rows visible. Does nothing when that has been done already. Retried on `unavailable`; any other error stops the job. */
  commit(epoch: SinkEpoch, prepared: PreparedOutput): Promise<void>
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
  /** Says whose output a folder holds: the checkpoint it is written from. */
  readonly owner: string
  /** Where files go; the machine's by default. */
  readonly fileSystem?: FileSystem
  /** Where views print. */
  readonly print: (text: string) => void
}
