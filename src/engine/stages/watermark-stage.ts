import type { Batch } from '../../batch/batch.ts'
import type { WatermarkNode } from '../../plan/node.ts'
import { timesOf } from '../event-times.ts'
import { FateCode } from '../ledger.ts'
import type { Watermark } from '../watermark.ts'
import { raise, roomFor, type Stage, type StageInput } from './stage.ts'

/**
 * Lets event time see the rows. Those that are stamped too far ahead of their arrival, and those that are too old, do not pass and
 * do not move time.
 */
export class WatermarkStage implements Stage {
  readonly id: string
  readonly watermark: Watermark
  readonly #node: WatermarkNode
  readonly #eventTimeIndex: number
  readonly #next: readonly Stage[]
  #timely = new Int32Array(1024)

  constructor(id: string, node: WatermarkNode, watermark: Watermark, eventTimeIndex: number, next: readonly Stage[]) {
    this.id = id
    this.watermark = watermark
    this.#node = node
    this.#eventTimeIndex = eventTimeIndex
    this.#next = next
  }

  process(input: StageInput): void {
    const times = timesOf(input.batch, this.#eventTimeIndex)
    const timely = this.#guard(input, times)
    if (timely.count === 0) return
    this.watermark.observe(input.context.partition, newestOf(times, timely.rows, timely.count))
    const timed = { ...timely, oldestMs: oldestOf(times, timely.rows, timely.count) }
    for (const stage of this.#next) stage.process(timed)
  }

  #guard(input: StageInput, times: Float64Array): StageInput {
    const { clockSkewMaxMs, ageMaxMs } = this.#node
    if (clockSkewMaxMs === null && ageMaxMs === null) return input
    this.#timely = roomFor(this.#timely, input.count)
    const { clockMs, fates } = input.context
    const skewMs = clockSkewMaxMs ?? Number.POSITIVE_INFINITY
    const oldestMs = ageMaxMs === null ? Number.NEGATIVE_INFINITY : clockMs - ageMaxMs
    let count = 0
    for (let index = 0; index < input.count; index++) {
      const row = input.rows[index] as number
      const timeMs = times[row] as number
      if (timeMs > arrivalOf(input.batch, row, clockMs) + skewMs) raise(fates, row, FateCode.future)
      else if (timeMs < oldestMs) raise(fates, row, FateCode.expired)
      else this.#timely[count++] = row
    }
    return { ...input, rows: this.#timely, count }
  }
}

/** The record's own time if it has one that is not ahead of the clock. */
function arrivalOf(batch: Batch, row: number, clockMs: number): number {
  const recordMs = batch.recordTimes[row] as number
  return recordMs >= 0 && recordMs < clockMs ? recordMs : clockMs
}

function newestOf(times: Float64Array, rows: Int32Array, count: number): number {
  let newestMs = Number.NEGATIVE_INFINITY
  for (let index = 0; index < count; index++) {
    const timeMs = times[rows[index] as number] as number
    if (timeMs > newestMs) newestMs = timeMs
  }
  return newestMs
}

function oldestOf(times: Float64Array, rows: Int32Array, count: number): number {
  let oldestMs = Number.POSITIVE_INFINITY
  for (let index = 0; index < count; index++) {
    const timeMs = times[rows[index] as number] as number
    if (timeMs < oldestMs) oldestMs = timeMs
  }
  return oldestMs
}
