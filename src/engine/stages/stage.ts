import type { Batch } from '../../batch/batch.ts'
import type { MissedWindow } from '../epoch.ts'

/**
 * A step of rows on their way from the decoder to a query's output. Steps form a tree: queries that begin with the same steps share
 * them, with their state. Each hands on the rows that pass it.
 */
export interface Stage {
  process(input: StageInput): void
}

/** Some rows of a batch: `rows[0 .. count)`, ascending. Valid during the call. */
export interface StageInput {
  readonly batch: Batch
  readonly rows: Int32Array
  readonly count: number
  /** No row is older, ms; -Infinity in front of the watermark. */
  readonly oldestMs: number
  readonly context: BatchContext
}

/** What all stages share while a batch is worked off. */
export interface BatchContext {
  readonly partition: number
  /** By row, when the batch has rows of several partitions. */
  readonly partitions?: Float64Array
  /** Clock of the epoch's plan, ms. */
  readonly clockMs: number
  /** By row, see `FateCode`; stages raise it. */
  readonly fates: Uint8Array
  /** A selection that was accepted as a whole, so that the next query need not accept it again. */
  accepted: Int32Array | undefined
  readonly refusals: Refusals
}

/** Why rows were refused, gathered while a batch is worked off; a row may be refused by several. */
export class Refusals {
  readonly #missed = new Map<number, MissedWindow[]>()
  #watermarkMs = Number.NEGATIVE_INFINITY

  /** The row is too old for windows of a query. */
  missed(row: number, windows: readonly MissedWindow[], watermarkMs: number): void {
    this.#missed.set(row, [...(this.#missed.get(row) ?? []), ...windows])
    this.#watermarkMs = watermarkMs
  }

  windowsMissed(row: number): readonly MissedWindow[] {
    return this.#missed.get(row) ?? []
  }

  /** The late watermark that refused rows last, ms. */
  get watermarkMs(): number {
    return this.#watermarkMs
  }

  clear(): void {
    this.#missed.clear()
    this.#watermarkMs = Number.NEGATIVE_INFINITY
  }
}

/** Gives a row a fate unless it has a better one. */
export function raise(fates: Uint8Array, row: number, fate: number): void {
  if ((fates[row] as number) < fate) fates[row] = fate
}

/** An array for at least so many rows, the same one if it is large enough. */
export function roomFor(rows: Int32Array<ArrayBuffer>, count: number): Int32Array<ArrayBuffer> {
  return rows.length >= count ? rows : new Int32Array(count * 2)
}
