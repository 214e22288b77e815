import { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { MillraceError } from '../../base/error.ts'
import type { DedupeNode } from '../../plan/node.ts'
import { SeenIds } from '../dedupe/seen-ids.ts'
import type { WideIds } from '../dedupe/wide-ids.ts'
import { timesOf } from '../event-times.ts'
import type { HashKey } from '../keys/key-table.ts'
import { FateCode } from '../ledger.ts'
import type { Watermark } from '../watermark.ts'
import { raise, type Stage, type StageInput } from './stage.ts'

/** What the stage is made for. */
export interface DedupeOptions {
  readonly id: string
  readonly node: DedupeNode
  readonly ids: WideIds
  readonly hashKey: HashKey
  readonly watermark: Watermark
  readonly eventTimeIndex: number
  /** Spark drops a row that is behind the watermark itself. */
  readonly spark: boolean
  readonly idsMax: number
}

/**
 * Hands on the first row with each id. Batches of an epoch must come by ascending partition and offset: the first one of them wins. What
 * is so old that a repeat could have been forgotten is late.
 */
export class DedupeStage implements Stage {
  readonly id: string
  readonly #options: DedupeOptions
  readonly #next: readonly Stage[]
  /** By partition; a single one where ids are the same wherever they come. */
  readonly #tables: SeenIds[] = []
  #rows = new Int32Array(1024)
  #times = new Float64Array(1024)
  #isNew = new Uint8Array(1024)

  constructor(options: DedupeOptions, next: readonly Stage[]) {
    this.id = options.id
    this.#options = options
    this.#next = next
  }

  get stateRows(): number {
    return this.#tables.reduce((sum, { size }) => sum + size, 0)
  }

  process(input: StageInput): void {
    this.#makeRoom(input.count)
    const timely = this.#dropLate(input)
    const count = this.#dropRepeats(input, timely)
    this.#assertFits()
    if (count === 0) return
    const fresh = { ...input, rows: this.#rows, count }
    for (const stage of this.#next) stage.process(fresh)
  }

  /** After the watermark has moved on. */
  endEpoch(): void {
    const { watermark, node } = this.#options
    for (const table of this.#tables) table.forget(watermark.closeWatermarkMs - node.withinMs)
  }

  /** What is remembered, by partition. */
  tables(): Uint8Array[] {
    return this.#tables.map((table) => {
      const writer = new ByteWriter(1024)
      table.write(writer)
      return writer.view()
    })
  }

  /** Takes in one of `tables`. */
  restore(partition: number, table: Uint8Array): void {
    this.#table(partition).merge(new ByteReader(table, `the state of ${this.id}`))
  }

  #table(partition: number): SeenIds {
    const place = this.#options.node.scope === 'partition' ? partition : 0
    while (this.#tables.length <= place) this.#tables.push(new SeenIds(this.#options.hashKey))
    return this.#tables[place] as SeenIds
  }

  /** Those that are forgotten make room when there would be too many otherwise. */
  #assertFits(): void {
    const { idsMax } = this.#options
    if (this.#held <= idsMax) return
    for (const table of this.#tables) table.compact()
    if (this.#held > idsMax) throw tooManyIds(this.#options)
  }

  get #held(): number {
    let held = 0
    for (const table of this.#tables) held += table.held
    return held
  }

  #makeRoom(count: number): void {
    if (this.#rows.length >= count) return
    this.#rows = new Int32Array(count * 2)
    this.#times = new Float64Array(count * 2)
    this.#isNew = new Uint8Array(count * 2)
  }

  /** Puts the rows that are in time, and their times, into `rows` and `times`; gives how many there are. */
  #dropLate({ batch, rows, count, context }: StageInput): number {
    const { node, watermark, eventTimeIndex, spark } = this.#options
    const times = timesOf(batch, eventTimeIndex)
    const lateUpToMs = watermark.lateWatermarkMs - (spark ? 0 : node.withinMs)
    let timely = 0
    for (let index = 0; index < count; index++) {
      const row = rows[index] as number
      const timeMs = times[row] as number
      if (timeMs > lateUpToMs) {
        this.#rows[timely] = row
        this.#times[timely++] = timeMs
      } else {
        raise(context.fates, row, FateCode.late)
        context.refusals.missed(row, [], watermark.lateWatermarkMs)
      }
    }
    return timely
  }

  /** Leaves those of the first rows that have no id or a new one. */
  #dropRepeats({ batch, context }: StageInput, count: number): number {
    const { node, ids, watermark } = this.#options
    ids.read(batch, this.#rows, count)
    const table = this.#table(context.partition)
    table.forget(watermark.lateWatermarkMs - node.withinMs)
    table.addAll(ids, this.#times, count, this.#isNew)
    let fresh = 0
    for (let index = 0; index < count; index++) {
      const row = this.#rows[index] as number
      if (this.#isNew[index] === 1) this.#rows[fresh++] = row
      else raise(context.fates, row, FateCode.duplicate)
    }
    return fresh
  }
}

function tooManyIds({ id, idsMax }: DedupeOptions): MillraceError {
  return new MillraceError('unsupported', `${id} remembers more than ${idsMax} ids`, {
    hint: 'dedupe within a shorter time, or use a shorter watermark delay',
  })
}
