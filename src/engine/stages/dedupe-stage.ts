import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { MillraceError } from '../../base/error.ts'
import type { DedupeNode } from '../../plan/node.ts'
import type { IdHashes } from '../dedupe/id-hashes.ts'
import { SeenIds } from '../dedupe/seen-ids.ts'
import { timesOf } from '../event-times.ts'
import { FateCode } from '../ledger.ts'
import type { Watermark } from '../watermark.ts'
import { raise, roomFor, type Stage, type StageInput } from './stage.ts'

/** Scope of ids that are the same wherever they come. */
const EVERYWHERE = 0xffffffff

/** What the stage is made for. */
export interface DedupeOptions {
  readonly id: string
  readonly node: DedupeNode
  readonly hashes: IdHashes
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
  readonly #seen = new SeenIds()
  #fresh = new Int32Array(1024)

  constructor(options: DedupeOptions, next: readonly Stage[]) {
    this.id = options.id
    this.#options = options
    this.#next = next
  }

  get stateRows(): number {
    return this.#seen.size
  }

  process(input: StageInput): void {
    const { node, hashes, watermark, eventTimeIndex, spark } = this.#options
    this.#fresh = roomFor(this.#fresh, input.count)
    const { batch, rows, context } = input
    const times = timesOf(batch, eventTimeIndex)
    const lateUpToMs = watermark.lateWatermarkMs - (spark ? 0 : node.withinMs)
    const scope = node.scope === 'partition' ? context.partition : EVERYWHERE
    this.#seen.forget(watermark.lateWatermarkMs - node.withinMs)
    let count = 0
    for (let index = 0; index < input.count; index++) {
      const row = rows[index] as number
      const timeMs = times[row] as number
      if (timeMs <= lateUpToMs) {
        raise(context.fates, row, FateCode.late)
        context.refusals.missed(row, [], watermark.lateWatermarkMs)
        continue
      }
      const id = hashes.of(batch, row, scope)
      if (id === undefined || this.#seen.add(id, timeMs)) this.#fresh[count++] = row
      else raise(context.fates, row, FateCode.duplicate)
    }
    if (!this.#seen.fits(this.#options.idsMax)) throw tooManyIds(this.#options)
    if (count === 0) return
    const fresh = { ...input, rows: this.#fresh, count }
    for (const stage of this.#next) stage.process(fresh)
  }

  /** After the watermark has moved on. */
  endEpoch(): void {
    this.#seen.forget(this.#options.watermark.closeWatermarkMs - this.#options.node.withinMs)
  }

  snapshot(writer: ByteWriter, shards: readonly number[]): void {
    this.#seen.write(writer, shards)
  }

  restore(reader: ByteReader, shardCount: number): void {
    this.#seen.merge(reader, shardCount)
  }
}

function tooManyIds({ id, idsMax }: DedupeOptions): MillraceError {
  return new MillraceError('unsupported', `${id} remembers more than ${idsMax} ids`, {
    hint: 'dedupe within a shorter time, or use a shorter watermark delay',
  })
}
