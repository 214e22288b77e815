import { type ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { Batch } from '../../batch/batch.ts'
import type { Column } from '../../batch/column.ts'
import type { Field } from '../../batch/schema.ts'
import { grownInts, grownNumbers } from '../aggregates/aggregate.ts'
import { ColumnBuilder } from '../column-builder.ts'
import { readEventTime } from '../event-times.ts'
import { decodeKeyPart, encodeKeyPart } from '../keys/key-codec.ts'

/** A third of what is held may be rows that have gone before the rest moves together. */
const GONE_SHARE = 3

/**
 * Rows that wait for the watermark, as bytes: every column's value in the form of keys, one after the other. Rows go in any order and come
 * out by (event time, partition, offset), whatever the order in which they came.
 */
export class HeldRows {
  readonly #fields: readonly Field[]
  #values = new ByteWriter(1 << 12)
  #times = new Float64Array(256)
  #partitions = new Int32Array(256)
  #offsets = new Float64Array(256)
  #recordTimes = new Float64Array(256)
  #ends = new Int32Array(256)
  #count = 0
  /** Places of rows that are still here, in no order. */
  #here: number[] = []

  constructor(fields: readonly Field[]) {
    this.#fields = fields
  }

  get size(): number {
    return this.#here.length
  }

  add(batch: Batch, row: number, timeMs: number, partition: number): void {
    for (const column of batch.columns) encodeKeyPart(this.#values, column as Column, row)
    this.#place(timeMs, partition, batch.offsets[row] as number, batch.recordTimes[row] as number)
  }

  /** Takes out the rows up to a time, in order; undefined when there is none. */
  take(upToMs: number): ReleasedRows | undefined {
    const due = this.#here.filter((place) => (this.#times[place] as number) <= upToMs)
    if (due.length === 0) return undefined
    this.#here = this.#here.filter((place) => (this.#times[place] as number) > upToMs)
    due.sort((left, right) => this.#compare(left, right))
    const released = this.#released(due)
    if (this.#here.length * GONE_SHARE < this.#count) this.#compact()
    return released
  }

  /** The bytes of one column in the bytes of a row. */
  valueOf(values: Uint8Array, columnIndex: number): Uint8Array {
    let start = 0
    let end = 0
    for (const [index, field] of this.#fields.entries()) {
      start = end
      end = decodeKeyPart(new ColumnBuilder(field, 1), values, end)
      if (index === columnIndex) break
    }
    return values.subarray(start, end)
  }

  /** Writes the rows, each into the section of its shard, in order. */
  write(writer: ByteWriter, shardOf: (values: Uint8Array) => number, shards: readonly number[]): void {
    const byShard = new Map<number, number[]>(shards.map((shard) => [shard, []]))
    for (const place of this.#here) byShard.get(shardOf(this.#bytes(place)))?.push(place)
    const section = new ByteWriter(1024)
    for (const shard of shards) {
      const places = (byShard.get(shard) as number[]).sort((left, right) => this.#compare(left, right))
      section.clear()
      section.varint(places.length)
      for (const place of places) {
        section.f64(this.#times[place] as number)
        section.varint(this.#partitions[place] as number)
        section.f64(this.#offsets[place] as number)
        section.f64(this.#recordTimes[place] as number)
        section.bytes(this.#bytes(place))
      }
      writer.bytes(section.view())
    }
  }

  /** Adds what `write` has written, of as many shards. */
  merge(reader: ByteReader, shardCount: number): void {
    for (let shard = 0; shard < shardCount; shard++) {
      const section = reader.section()
      for (let left = section.count(); left > 0; left--) {
        const [timeMs, partition, offset, recordMs] = [
          readEventTime(section),
          section.varint(),
          section.f64(),
          section.f64(),
        ]
        this.#values.raw(section.bytes())
        this.#place(timeMs, partition, offset, recordMs)
      }
    }
  }

  #place(timeMs: number, partition: number, offset: number, recordMs: number): void {
    const place = this.#count++
    this.#times = grownNumbers(this.#times, this.#count)
    this.#partitions = grownInts(this.#partitions, this.#count)
    this.#offsets = grownNumbers(this.#offsets, this.#count)
    this.#recordTimes = grownNumbers(this.#recordTimes, this.#count)
    this.#ends = grownInts(this.#ends, this.#count)
    this.#times[place] = timeMs
    this.#partitions[place] = partition
    this.#offsets[place] = offset
    this.#recordTimes[place] = recordMs
    this.#ends[place] = this.#values.length
    this.#here.push(place)
  }

  #bytes(place: number): Uint8Array {
    const start = place === 0 ? 0 : (this.#ends[place - 1] as number)
    return this.#values.view().subarray(start, this.#ends[place] as number)
  }

  #compare(left: number, right: number): number {
    return (
      (this.#times[left] as number) - (this.#times[right] as number) ||
      (this.#partitions[left] as number) - (this.#partitions[right] as number) ||
      (this.#offsets[left] as number) - (this.#offsets[right] as number)
    )
  }

  #released(places: readonly number[]): ReleasedRows {
    const builders = this.#fields.map((field) => new ColumnBuilder(field, places.length))
    for (const place of places) {
      const values = this.#bytes(place)
      let at = 0
      for (const builder of builders) at = decodeKeyPart(builder, values, at)
    }
    const rowCount = places.length
    const batch: Batch = {
      fields: this.#fields,
      columns: builders.map((builder) => builder.finish()),
      rowCount,
      status: new Uint8Array(rowCount),
      error: new Uint8Array(rowCount),
      errorField: new Uint8Array(rowCount).fill(255),
      offsets: Float64Array.from(places, (place) => this.#offsets[place] as number),
      recordTimes: Float64Array.from(places, (place) => this.#recordTimes[place] as number),
      bytes: new Uint8Array(0),
      valueStarts: new Int32Array(rowCount),
      valueLengths: new Int32Array(rowCount),
      duplicateMembers: 0,
    }
    return {
      batch,
      times: Float64Array.from(places, (place) => this.#times[place] as number),
      partitions: Float64Array.from(places, (place) => this.#partitions[place] as number),
    }
  }

  #compact(): void {
    const kept = new HeldRows(this.#fields)
    for (const place of this.#here) {
      kept.#values.raw(this.#bytes(place))
      kept.#place(
        this.#times[place] as number,
        this.#partitions[place] as number,
        this.#offsets[place] as number,
        this.#recordTimes[place] as number,
      )
    }
    this.#values = kept.#values
    this.#times = kept.#times
    this.#partitions = kept.#partitions
    this.#offsets = kept.#offsets
    this.#recordTimes = kept.#recordTimes
    this.#ends = kept.#ends
    this.#count = kept.#count
    this.#here = kept.#here
  }
}

/** Rows that have waited long enough, by event time, partition and offset. */
export interface ReleasedRows {
  readonly batch: Batch
  readonly times: Float64Array
  /** Where each was read. */
  readonly partitions: Float64Array
}
