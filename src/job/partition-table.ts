import { assert } from '../base/assert.ts'
import { MillraceError } from '../base/error.ts'
import type { LedgerEntry, OffsetRange } from '../engine/epoch.ts'
import type { Source, SourceOffsets } from '../sources/source.ts'
import type { PartitionPosition } from './checkpoint-identity.ts'
import type { EpochRunner } from './epoch-runner.ts'

/** How far each partition of the source has been read, and where it ends. Partitions go by the engine's index. */
export class PartitionTable {
  /** Next offset to be planned, per partition. */
  readonly positions: number[] = []
  /** Partitions that have come to their end for good. */
  ended: ReadonlySet<number> = new Set()
  /** Next offset that is in no certain epoch, per partition. */
  readonly #certain: number[] = []
  readonly #ids: string[] = []
  readonly #fingerprints: string[] = []
  readonly #starts: (number | undefined)[] = []
  readonly #ends: (number | undefined)[] = []
  readonly #movedTime: boolean[] = []
  #incomplete = false

  /** Takes over what a snapshot says. */
  restore(partitions: readonly PartitionPosition[]): void {
    for (const { id, fingerprint, position } of partitions) this.#add(id, fingerprint, position)
  }

  /**
   * Makes the source's partitions known to table and engine; those that plans have numbered already keep their numbers. One that was not there when
   * the others began has come since: nothing in it has been read, so it is read from its first record on.
   */
  async addNew(source: Source, engine: EpochRunner, numbered: readonly string[]): Promise<void> {
    const later = this.#ids.length > 0 ? await source.offsets() : undefined
    const found = new Map((await source.partitions()).map((partition) => [partition.id, partition]))
    engine.addPartitions([...numbered, ...[...found.keys()].filter((id) => !numbered.includes(id))])
    for (const id of engine.partitionIds) {
      const partition = found.get(id)
      if (!this.#ids.includes(id))
        this.#add(id, partition?.fingerprint ?? '', later?.get(id)?.start ?? partition?.startOffset ?? 0)
    }
  }

  /** Where each partition ends now; undefined where nobody knows yet. */
  async ends(source: Source): Promise<number[]> {
    this.#take(await source.offsets())
    return this.#ends.map((end) => end ?? Number.POSITIVE_INFINITY)
  }

  /** While the source cannot be asked nobody knows the ends. */
  async refreshEnds(source: Source): Promise<void> {
    try {
      this.#take(await source.offsets())
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'unavailable') throw error
      this.#ends.fill(undefined)
    }
  }

  /** True when the source, as last asked, has partitions that are not in the table. */
  get incomplete(): boolean {
    return this.#incomplete
  }

  /** True when the partition holds no row at all, as last asked for. One that is only caught up holds time back until it is idle. */
  empty(partition: number): boolean {
    const end = this.#ends[partition]
    return end !== undefined && end === this.#starts[partition]
  }

  /** True when everything below the end, as last asked for, has been planned. */
  caughtUp(partition: number): boolean {
    const end = this.#ends[partition]
    return end !== undefined && (this.positions[partition] as number) >= end
  }

  end(partition: number): number | undefined {
    return this.#ends[partition]
  }

  /** An epoch is computed: the next one goes on behind its ranges. */
  advance(ranges: readonly OffsetRange[], ledger: readonly LedgerEntry[]): void {
    for (const { partition, from, to } of ranges) {
      assert(this.positions[partition] === from, `rows of partition ${partition} are planned one after the other`)
      this.positions[partition] = to
    }
    for (const { partition, fate, rows } of ledger) {
      // Rows of these fates passed validation, so they speak for the partition's time.
      if (rows > 0 && (fate === 'accepted' || fate === 'late' || fate === 'duplicate'))
        this.#movedTime[partition] = true
    }
  }

  /** An epoch is certain: its ranges are behind us. */
  settle(ranges: readonly OffsetRange[]): void {
    for (const { partition, to } of ranges) this.#certain[partition] = to
  }

  /** Next offset that is in no certain epoch. */
  certain(partition: number): number {
    return this.#certain[partition] ?? 0
  }

  /** Whether the partition gave a row that moves time since this was asked last. */
  takeMovedTime(partition: number): boolean {
    const moved = this.#movedTime[partition] ?? false
    this.#movedTime[partition] = false
    return moved
  }

  /** Next offset that is in no certain epoch, by partition id. */
  byId(): Map<string, number> {
    return new Map(this.#ids.map((id, partition) => [id, this.certain(partition)]))
  }

  toJson(ids: readonly string[]): PartitionPosition[] {
    return ids.map((id, partition) => ({
      id,
      fingerprint: this.#fingerprints[partition] as string,
      position: this.certain(partition),
    }))
  }

  #take(offsets: ReadonlyMap<string, SourceOffsets>): void {
    for (const [partition, id] of this.#ids.entries()) {
      this.#starts[partition] = offsets.get(id)?.start
      this.#ends[partition] = offsets.get(id)?.end
    }
    this.#incomplete = offsets.size > this.#ids.length
  }

  #add(id: string, fingerprint: string, position: number): void {
    this.#ids.push(id)
    this.#fingerprints.push(fingerprint)
    this.positions.push(position)
    this.#certain.push(position)
  }
}
