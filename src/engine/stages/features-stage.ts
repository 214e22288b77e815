import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { MillraceError } from '../../base/error.ts'
import type { Field } from '../../batch/schema.ts'
import { timesOf } from '../event-times.ts'
import { HeldRows } from '../features/held-rows.ts'
import { SessionFeatures, type SessionFeaturesOptions } from '../features/session-features.ts'
import type { Watermark } from '../watermark.ts'
import { allRows, releasedInput, rowsOnTime } from './released-rows.ts'
import type { Stage, StageInput } from './stage.ts'

/** What the stage is made for. */
export interface FeaturesStageOptions extends SessionFeaturesOptions {
  readonly id: string
  readonly watermark: Watermark
  /** Columns of the rows that come out: those that went in, then the features. */
  readonly outputFields: readonly Field[]
  readonly byIndex: number
  readonly rowsMax: number
}

/**
 * Joins what is known of its session to each row. Rows wait until the watermark has passed them (in `compat` their whole window), so that
 * no feature sees the future, and go on in the order of (event time, partition, offset), whatever the order in which they came. In `batch`
 * they go on at once.
 */
export class FeaturesStage implements Stage {
  readonly id: string
  readonly #options: FeaturesStageOptions
  readonly #next: readonly Stage[]
  readonly #held: HeldRows
  readonly #features: SessionFeatures

  constructor(options: FeaturesStageOptions, next: readonly Stage[]) {
    this.id = options.id
    this.#options = options
    this.#next = next
    this.#held = new HeldRows(options.fields)
    this.#features = new SessionFeatures(options)
  }

  get stateRows(): number {
    return this.#held.size + this.#features.stateRows
  }

  process(input: StageInput): void {
    const { batch, context } = input
    const { watermark, eventTimeIndex, rowsMax } = this.#options
    const times = timesOf(batch, eventTimeIndex)
    const onTime = rowsOnTime(input, times, watermark.lateWatermarkMs)
    this.#held.add(batch, onTime, onTime.length, times, context.partition)
    if (this.#held.size > rowsMax) throw tooManyRows(this.#options)
  }

  /** The watermark has moved: hands on the rows that it has passed. */
  release(clockMs: number): void {
    const { watermark, outputFields } = this.#options
    const { closeWatermarkMs } = watermark
    const released = this.#held.take(this.#releasedUpTo(closeWatermarkMs))
    if (released) {
      const batch = {
        ...released.batch,
        fields: outputFields,
        columns: [...released.batch.columns, ...this.#features.of(released)],
      }
      const oldestMs = released.times[0] as number
      const input = releasedInput(batch, allRows(batch.rowCount), released.partitions, clockMs, oldestMs)
      for (const stage of this.#next) stage.process(input)
    }
    this.#features.forget(closeWatermarkMs)
  }

  #releasedUpTo(closeWatermarkMs: number): number {
    const { node, grid } = this.#options
    if (node.mode === 'batch') return Number.POSITIVE_INFINITY
    if (node.mode === 'past' || closeWatermarkMs === Number.POSITIVE_INFINITY) return closeWatermarkMs
    return grid.openFrom(closeWatermarkMs) - 1
  }

  snapshot(writer: ByteWriter, shards: readonly number[]): void {
    const { byIndex } = this.#options
    this.#held.write(writer, (values) => this.#features.shardOf(this.#held.valueOf(values, byIndex)), shards)
    this.#features.write(writer, shards)
  }

  restore(reader: ByteReader, shardCount: number): void {
    this.#held.merge(reader, shardCount)
    this.#features.merge(reader, shardCount)
  }
}

function tooManyRows({ id, rowsMax }: FeaturesStageOptions): MillraceError {
  return new MillraceError('unsupported', `${id} holds more than ${rowsMax} rows that wait for the watermark`, {
    hint: 'use a shorter watermark delay or smaller windows',
  })
}
