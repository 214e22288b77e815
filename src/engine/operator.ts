import type { ByteReader, ByteWriter } from '../base/bytes.ts'
import type { Batch } from '../batch/batch.ts'
import type { ResultBatch } from '../batch/result-batch.ts'

/**
 * One stateful step of a query, in two halves. The first half runs in the worker that read the rows and knows only this
 * epoch; the second runs in the worker that owns the key's shard and holds the state. With one worker both are the same
 * object and the exchange between them is a function call.
 */
export interface Operator {
  /** First half: takes in the rows that `selection` names; they are not late. */
  processBatch(batch: Batch, selection: Selection): void
  /** First half, at barrier 1: gives what was gathered in this epoch, for the owner of each shard, and forgets it. */
  takePartials(): Partial[]
  /** Second half: into the state, in any order. */
  merge(partial: Partial): void
  /** Second half, at barrier 2: closes what the watermark has passed, and gives the epoch's rows. */
  close(context: CloseContext): OperatorResults
  snapshot(writer: ByteWriter): void
  restore(reader: ByteReader): void
}

/** Rows of a batch that an operator shall see, in ascending order: `rows[0 .. count)`. */
export interface Selection {
  readonly rows: Int32Array
  readonly count: number
}

/** What the first half hands to the second, columnar; the operator knows its shape. */
export interface Partial {
  readonly operatorId: string
  readonly data: unknown
}

/** What an operator is told at the end of an epoch. */
export interface CloseContext {
  readonly epoch: number
  /** What ends at or before it closes; Infinity closes everything. */
  readonly closeWatermarkMs: number
}

/** An operator's rows of one epoch, in the modes it gives. */
export interface OperatorResults {
  readonly append?: ResultBatch
  readonly update?: ResultBatch
  readonly complete?: ResultBatch
}
