import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { Batch } from '../../batch/batch.ts'
import { timesOf } from '../event-times.ts'
import { SHARDS } from '../keys/key-table.ts'
import { FateCode } from '../ledger.ts'
import type { Operator, OperatorResults, Selection } from '../operator.ts'
import type { EventClock } from '../watermark.ts'
import { raise, roomFor, type Stage, type StageInput } from './stage.ts'

/** The end of a windowed query: tells late rows from those that it accepts, and hands these to the operator. */
export class AggregateStage implements Stage {
  readonly query: string
  readonly operator: Operator
  readonly watermark: EventClock
  readonly #eventTimeIndex: number
  /** Rows refused as late since the state began. */
  lateRows = 0
  #open = new Int32Array(1024)
  #owner: Owner | undefined
  #ownRows = new Int32Array(1024)
  #otherRows = new Int32Array(1024)

  constructor(query: string, operator: Operator, watermark: EventClock, eventTimeIndex: number) {
    this.query = query
    this.operator = operator
    this.watermark = watermark
    this.#eventTimeIndex = eventTimeIndex
  }

  process(input: StageInput): void {
    const open = this.#refuseClosed(this.#refuseLate(input))
    if (open.count === 0) return
    const { context } = open
    if (context.accepted !== open.rows) accept(context.fates, open.rows, open.count)
    // A later query that takes the same selection need not accept it again.
    if (open.rows === input.rows) context.accepted = open.rows
    this.#takeIn(open.batch, { partition: context.partition, rows: open.rows, count: open.count })
  }

  /** From now on, rows of groups that this worker owns go to where they are kept, and take no part in the exchange. */
  handOver(operator: Operator, shards: readonly number[]): void {
    const isOwn = new Uint8Array(SHARDS)
    for (const shard of shards) isOwn[shard] = 1
    this.#owner = { operator, isOwn }
  }

  /** Names the query's state in snapshots. */
  get id(): string {
    return `${this.query}/aggregate`
  }

  close(epoch: number): OperatorResults {
    const { lateWatermarkMs, closeWatermarkMs } = this.watermark
    return this.operator.close({ epoch, lateWatermarkMs, closeWatermarkMs })
  }

  snapshot(writer: ByteWriter, shards: readonly number[]): void {
    writer.varint(this.lateRows)
    this.operator.write(writer, shards)
  }

  restore(reader: ByteReader, shardCount: number): void {
    this.lateRows = reader.varint()
    this.operator.restore(reader, shardCount)
  }

  #takeIn(batch: Batch, selection: Selection): void {
    if (!this.#owner) {
      this.operator.processBatch(batch, selection)
      return
    }
    const { operator, isOwn } = this.#owner
    const { partition, rows, count } = selection
    const shards = this.operator.shardsOf(batch, selection)
    this.#ownRows = roomFor(this.#ownRows, count)
    this.#otherRows = roomFor(this.#otherRows, count)
    let own = 0
    let others = 0
    for (let index = 0; index < count; index++) {
      const row = rows[index] as number
      if (isOwn[shards[row] as number] === 1) this.#ownRows[own++] = row
      else this.#otherRows[others++] = row
    }
    operator.processBatch(batch, { partition, rows: this.#ownRows, count: own })
    this.operator.processBatch(batch, { partition, rows: this.#otherRows, count: others })
  }

  #refuseLate(input: StageInput): StageInput {
    const openFromMs = this.operator.openFrom(this.watermark.lateWatermarkMs)
    if (input.oldestMs >= openFromMs) return input
    this.#open = roomFor(this.#open, input.count)
    const times = timesOf(input.batch, this.#eventTimeIndex)
    let count = 0
    for (let index = 0; index < input.count; index++) {
      const row = input.rows[index] as number
      if ((times[row] as number) >= openFromMs) this.#open[count++] = row
      else this.#refuse(row, times[row] as number, input)
    }
    return { ...input, rows: this.#open, count }
  }

  #refuseClosed(input: StageInput): StageInput {
    const { operator } = this
    if (!operator.closesEarly?.() || input.count === 0) return input
    const rows = input.rows.slice(0, input.count)
    const times = timesOf(input.batch, this.#eventTimeIndex)
    const count = operator.refuseClosed?.(input.batch, rows, input.count, (row) => {
      this.#refuse(row, times[row] as number, input)
    })
    return { ...input, rows, count: count ?? input.count }
  }

  #refuse(row: number, timeMs: number, { context }: StageInput): void {
    raise(context.fates, row, FateCode.late)
    this.lateRows++
    const { lateWatermarkMs } = this.watermark
    const windows = this.operator.missedWindows(timeMs, lateWatermarkMs)
    context.refusals.missed(
      row,
      windows.map(({ startMs, endMs }) => ({ query: this.query, startMs, endMs })),
      lateWatermarkMs,
    )
  }
}

/** Where groups of some shards are kept. */
interface Owner {
  readonly operator: Operator
  /** By shard: 1 for these. */
  readonly isOwn: Uint8Array
}

function accept(fates: Uint8Array, rows: Int32Array, count: number): void {
  for (let index = 0; index < count; index++) fates[rows[index] as number] = FateCode.accepted
}
