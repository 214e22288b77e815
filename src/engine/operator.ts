import type { ByteReader, ByteWriter } from '../base/bytes.ts'
import type { Batch } from '../batch/batch.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { OpenWindow } from './engine.ts'

/**
 * One stateful step of a query: groups with their values. What it gathered can be written out and merged into another one of its kind, in
 * any order and any cut. That one law carries three things: several workers (each gathers groups from the rows that it reads, and hands
 * them over to the owner of their shard when they are wanted there), snapshots (the owner's groups written out), and recovery (merged
 * into an empty one).
 */
export interface Operator {
  /** Rows that are older belong to nothing that is still open. */
  openFrom(lateWatermarkMs: number): number
  /** Takes in the rows that `selection` names; none is older than `openFrom`. */
  processBatch(batch: Batch, selection: Selection): void
  /** Whether something was closed before its time that rows may still belong to. */
  closesEarly?(): boolean
  /**
   * Keeps those of `rows[0 .. count)` that belong to nothing that was closed before its time, in place, tells `refuse` about the others,
   * and gives how many are left. Absent where nothing closes early.
   */
  refuseClosed?(batch: Batch, rows: Int32Array, count: number, refuse: (row: number) => void): number
  /** Writes what was closed before its time in this epoch, or came with the state that was restored; false when there is none. */
  writeNewMarks?(writer: ByteWriter): boolean
  /** Takes in what others have written with `writeNewMarks`, and forgets what the watermark has passed: to judge rows for their owners. */
  hearOfMarks?(readers: readonly ByteReader[], lateWatermarkMs: number): void
  /**
   * Writes the keys of groups of which another worker's rows decide whether they close now: none of them is newer than `newestMs`. False
   * when there are none. Absent where time alone tells what closes.
   */
  writeClosingKeys?(writer: ByteWriter, closeWatermarkMs: number, newestMs: number): boolean
  /** Writes what other owners want to have now, and forgets it; groups that it owns itself take their place among its own. */
  handOver(wanted: HandOver): void
  /** Writes the groups of some shards, each in a section of its own, sorted by key bytes. Nothing waits to be handed over. */
  write(writer: ByteWriter, shards: readonly number[]): void
  /** Adds groups that `write` or `handOver` has written, of as many shards. */
  merge(reader: ByteReader, shardCount: number): void
  /** Adds groups that `write` has written between epochs: as `merge`, but update mode has shown them already. */
  restore(reader: ByteReader, shardCount: number): void
  /** Closes what the watermark has passed, and gives the epoch's rows, sorted by (window start, key bytes). */
  close(context: CloseContext): OperatorResults
  /** Windows at or before the watermark that a row of this time would have belonged to. */
  missedWindows(timeMs: number, lateWatermarkMs: number): readonly WindowBounds[]
  /** Windows with something in them that the watermark has not closed. */
  openWindows(closeWatermarkMs: number): OpenWindow[]
  /** Groups that are held. */
  readonly stateRows: number
}

/** Rows of a batch that an operator shall see, in ascending order: `rows[0 .. count)`. */
export interface Selection {
  /** Index of the partition that the batch is of. */
  readonly partition: number
  readonly rows: Int32Array
  readonly count: number
}

/** What owners of shards want to have of an operator's groups. */
export interface HandOver {
  /** Groups of windows that end at or before it, ms. */
  readonly closeWatermarkMs: number
  /** Groups of all windows, because state is about to be saved. */
  readonly all: boolean
  /** What other workers have written with `writeClosingKeys`: whatever is of these keys. */
  readonly closingKeys: readonly ByteReader[]
  /** The other owners. */
  readonly owners: readonly HandOverPart[]
}

/** Where the groups of one owner's shards are written to. */
export interface HandOverPart {
  readonly shards: readonly number[]
  readonly writer: ByteWriter
}

/** `canonical`: equal groups give equal bytes. `any`: whatever is fastest, for those who merge them at once. */
export type GroupOrder = 'canonical' | 'any'

/** What an operator is told at the end of an epoch. */
export interface CloseContext {
  readonly epoch: number
  /** What ends at or before it was closed in an epoch before. */
  readonly lateWatermarkMs: number
  /** What ends at or before it closes; Infinity closes everything. */
  readonly closeWatermarkMs: number
}

/** An operator's rows of one epoch, in the modes it gives. */
export interface OperatorResults {
  readonly append?: ResultBatch
  readonly update?: ResultBatch
  readonly complete?: ResultBatch
}

/** A window as people see it: [start, end). */
export interface WindowBounds {
  readonly startMs: number
  readonly endMs: number
}
