import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { MillraceError } from '../../base/error.ts'
import type { Column } from '../../batch/column.ts'
import { type Field, fieldIndex } from '../../batch/schema.ts'
import type { FunnelNode } from '../../plan/node.ts'
import { timesOf } from '../event-times.ts'
import { HeldRows } from '../features/held-rows.ts'
import { AttemptRows } from '../funnel/attempt-rows.ts'
import { Attempts } from '../funnel/attempts.ts'
import { type HashKey, KeyTable } from '../keys/key-table.ts'
import { FateCode } from '../ledger.ts'
import { compilePredicate, type Predicate, TRUE } from '../predicate.ts'
import type { Watermark } from '../watermark.ts'
import { allRows, releasedInput } from './released-rows.ts'
import { raise, roomFor, type Stage, type StageInput } from './stage.ts'

/** What the stage is made for. */
export interface FunnelStageOptions {
  readonly id: string
  readonly node: FunnelNode
  /** Columns of the rows. */
  readonly fields: readonly Field[]
  /** Columns of the rows that come out. */
  readonly outputFields: readonly Field[]
  readonly eventTimeIndex: number
  readonly watermark: Watermark
  readonly hashKey: HashKey
  /** Rows that wait, and attempts that go on. */
  readonly rowsMax: number
}

/**
 * Makes attempts of rows. Rows wait until the watermark has passed them, so that they come to the attempts in the order of (event time,
 * partition, offset), whatever the order in which they were read; attempts wait until nothing can happen to them any more.
 */
export class FunnelStage implements Stage {
  readonly id: string
  readonly #options: FunnelStageOptions
  readonly #next: readonly Stage[]
  readonly #byIndex: number
  readonly #steps: readonly Predicate[]
  /** Who a row is of, and the steps that it is as bits. */
  readonly #held: HeldRows
  #waiting = new Int32Array(1024)
  readonly #keys: KeyTable
  readonly #attempts: Attempts
  readonly #rows: AttemptRows

  constructor(options: FunnelStageOptions, next: readonly Stage[]) {
    const { id, node, fields, outputFields, hashKey } = options
    this.id = id
    this.#options = options
    this.#next = next
    this.#byIndex = fieldIndex({ fields }, node.by)
    const hasWho = { kind: 'not', operand: { kind: 'is-null', operand: { kind: 'column', name: node.by } } } as const
    this.#steps = [hasWho, ...node.steps.map(({ when }) => when)].map((when) => compilePredicate(when, fields))
    this.#held = new HeldRows([fields[this.#byIndex] as Field, MASK])
    this.#keys = new KeyTable([0], hashKey)
    this.#attempts = new Attempts({ ...node, steps: node.steps.length, keys: this.#keys })
    this.#rows = new AttemptRows(node, outputFields)
  }

  get stateRows(): number {
    return this.#held.size + this.#attempts.size
  }

  process({ batch, rows, count, context }: StageInput): void {
    const { watermark, eventTimeIndex, node } = this.#options
    const times = timesOf(batch, eventTimeIndex)
    const [hasWho, ...truths] = this.#steps.map((step) => step(batch)) as [Uint8Array, ...Uint8Array[]]
    const masks: Column = { kind: 'number', values: new Float64Array(batch.rowCount) }
    const waiting = { ...batch, columns: [batch.columns[this.#byIndex] as Column, masks] }
    this.#waiting = roomFor(this.#waiting, count)
    let held = 0
    for (let index = 0; index < count; index++) {
      const row = rows[index] as number
      const timeMs = times[row] as number
      if (timeMs <= watermark.lateWatermarkMs) {
        raise(context.fates, row, FateCode.late)
        context.refusals.missed(row, [], watermark.lateWatermarkMs)
        continue
      }
      raise(context.fates, row, FateCode.accepted)
      const mask = maskOf(truths, row)
      if (hasWho[row] !== TRUE || (mask === 0 && node.mode !== 'strict')) continue
      masks.values[row] = mask
      this.#waiting[held++] = row
    }
    this.#held.add(waiting, this.#waiting, held, times, context.partition)
    this.#assertRoom()
  }

  /** The watermark has moved: what it has passed goes into attempts, and those that are over go on. */
  release(clockMs: number): void {
    const { closeWatermarkMs } = this.#options.watermark
    this.#follow(closeWatermarkMs)
    this.#attempts.takeOver(closeWatermarkMs, (attempt) => this.#rows.add(attempt, this.#keys.bytes(attempt.keyId)))
    const batch = this.#rows.take()
    if (batch) {
      const oldestMs = timesOf(batch, 0)[0] as number
      const input = releasedInput(batch, allRows(batch.rowCount), new Float64Array(batch.rowCount), clockMs, oldestMs)
      for (const stage of this.#next) stage.process(input)
    }
    this.#attempts.forgetKeys()
    this.#assertRoom()
  }

  snapshot(writer: ByteWriter): void {
    this.#held.write(writer, () => 0, [0])
    this.#attempts.write(writer)
  }

  restore(reader: ByteReader): void {
    this.#held.merge(reader, 1)
    this.#attempts.restore(reader)
  }

  #follow(upToMs: number): void {
    const released = this.#held.take(upToMs)
    if (!released) return
    const { batch, times } = released
    const keyIds = this.#keys.of(batch, allRows(batch.rowCount), batch.rowCount)
    const masks = batch.columns[1]
    if (masks?.kind !== 'number') return
    for (let row = 0; row < batch.rowCount; row++) {
      this.#attempts.row(keyIds[row] as number, times[row] as number, masks.values[row] as number)
    }
  }

  #assertRoom(): void {
    const { id, rowsMax } = this.#options
    if (this.stateRows <= rowsMax) return
    throw new MillraceError('unsupported', `${id} holds more than ${rowsMax} rows and attempts that wait`, {
      hint: 'give the steps less time (within), or use a shorter watermark delay',
    })
  }
}

const MASK: Field = { name: 'steps', type: 'float64', required: true }

function maskOf(truths: readonly Uint8Array[], row: number): number {
  let mask = 0
  for (let step = 0; step < truths.length; step++) if (truths[step]?.[row] === TRUE) mask |= 1 << step
  return mask
}
