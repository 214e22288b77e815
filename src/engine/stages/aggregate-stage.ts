import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { OpenWindow } from '../engine.ts'
import { timesOf } from '../event-times.ts'
import { FateCode } from '../ledger.ts'
import type { HandOver, Operator, OperatorResults } from '../operator.ts'
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
    this.operator.processBatch(open.batch, { partition: context.partition, rows: open.rows, count: open.count })
  }

  /** Names the query's state in snapshots. */
  get id(): string {
    return `${this.query}/aggregate`
  }

  /** Keys that everybody has to give up, see `Operator`. */
  writeClosingKeys(writer: ByteWriter, newestMs: number): boolean {
    return this.operator.writeClosingKeys?.(writer, this.watermark.closeWatermarkMs, newestMs) ?? false
  }

  handOver(wanted: Omit<HandOver, 'closeWatermarkMs'>): void {
    this.operator.handOver({ ...wanted, closeWatermarkMs: this.watermark.closeWatermarkMs })
  }

  openWindows(): OpenWindow[] {
    return this.operator.openWindows(this.watermark.closeWatermarkMs)
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

function accept(fates: Uint8Array, rows: Int32Array, count: number): void {
  for (let index = 0; index < count; index++) fates[rows[index] as number] = FateCode.accepted
}
