import { type ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { Batch } from '../../batch/batch.ts'
import type { Column } from '../../batch/column.ts'
import type { Field } from '../../batch/schema.ts'
import { grownNumbers } from '../aggregates/aggregate.ts'
import { ColumnBuilder } from '../column-builder.ts'
import { readEventTime } from '../event-times.ts'
import { decodeKeyPart, encodeKeyPart } from '../keys/key-codec.ts'
import { allRows } from '../stages/released-rows.ts'
import { gatheredNumbers, HeldColumn } from './held-column.ts'

/** A third of what is held may be rows that have gone before the rest moves together. */
const GONE_SHARE = 3

/**
 * Rows that wait for the watermark, column by column. Rows go in any order and come out by (event time, partition, offset), whatever the
 * order in which they came. In snapshots every row is one string of bytes: its values in the form of keys, one after the other.
 */
export class HeldRows {
  readonly #fields: readonly Field[]
  #columns: HeldColumn[]
  #times = new Float64Array(256)
  #partitions = new Float64Array(256)
  #offsets = new Float64Array(256)
  #recordTimes = new Float64Array(256)
  #count = 0
  /** Places of rows that are still here, in no order. */
  #here: number[] = []

  constructor(fields: readonly Field[]) {
    this.#fields = fields
    this.#columns = fields.map((field) => new HeldColumn(field))
  }

  get size(): number {
    return this.#here.length
  }

  /** The first `count` of `rows`; `times` by row. */
  add(batch: Batch, rows: Int32Array, count: number, times: Float64Array, partition: number): void {
    for (const [index, column] of this.#columns.entries()) column.append(batch.columns[index] as Column, rows, count)
    for (let index = 0; index < count; index++) {
      const row = rows[index] as number
      this.#place(times[row] as number, partition, batch.offsets[row] as number, batch.recordTimes[row] as number)
    }
  }

  /** Takes out the rows up to a time, in order; undefined when there is none. */
  take(upToMs: number): ReleasedRows | undefined {
    const due = this.#here.filter((place) => (this.#times[place] as number) <= upToMs)
    if (due.length === 0) return undefined
    this.#here = this.#here.filter((place) => (this.#times[place] as number) > upToMs)
    due.sort((left, right) => this.#compare(left, right))
    const released = this.#released(Int32Array.from(due))
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
    const keys = this.#keys()
    for (const place of this.#here) byShard.get(shardOf(keys(place)))?.push(place)
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
        section.bytes(keys(place))
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
        const values = section.bytes()
        let at = 0
        for (const column of this.#columns) at = column.appendKeyPart(values, at)
        this.#place(timeMs, partition, offset, recordMs)
      }
    }
  }

  #place(timeMs: number, partition: number, offset: number, recordMs: number): void {
    const place = this.#count++
    this.#times = grownNumbers(this.#times, this.#count)
    this.#partitions = grownNumbers(this.#partitions, this.#count)
    this.#offsets = grownNumbers(this.#offsets, this.#count)
    this.#recordTimes = grownNumbers(this.#recordTimes, this.#count)
    this.#times[place] = timeMs
    this.#partitions[place] = partition
    this.#offsets[place] = offset
    this.#recordTimes[place] = recordMs
    this.#here.push(place)
  }

  /** Gives the bytes of the row at a place, valid until those of another are asked for. */
  #keys(): (place: number) => Uint8Array {
    const all = allRows(this.#count)
    const columns = this.#columns.map((column) => column.gather(all))
    const key = new ByteWriter(256)
    return (place) => {
      key.clear()
      for (const column of columns) encodeKeyPart(key, column, place)
      return key.view()
    }
  }

  #compare(left: number, right: number): number {
    return (
      (this.#times[left] as number) - (this.#times[right] as number) ||
      (this.#partitions[left] as number) - (this.#partitions[right] as number) ||
      (this.#offsets[left] as number) - (this.#offsets[right] as number)
    )
  }

  #released(places: Int32Array): ReleasedRows {
    const rowCount = places.length
    const batch: Batch = {
      fields: this.#fields,
      columns: this.#columns.map((column) => column.gather(places)),
      rowCount,
      status: new Uint8Array(rowCount),
      error: new Uint8Array(rowCount),
      errorField: new Uint8Array(rowCount).fill(255),
      offsets: gatheredNumbers(this.#offsets, places),
      recordTimes: gatheredNumbers(this.#recordTimes, places),
      bytes: new Uint8Array(0),
      valueStarts: new Int32Array(rowCount),
      valueLengths: new Int32Array(rowCount),
      duplicateMembers: 0,
    }
    return {
      batch,
      times: gatheredNumbers(this.#times, places),
      partitions: gatheredNumbers(this.#partitions, places),
    }
  }

  #compact(): void {
    const kept = new HeldRows(this.#fields)
    const here = Int32Array.from(this.#here)
    const rows = allRows(here.length)
    for (const [index, column] of kept.#columns.entries()) {
      column.append((this.#columns[index] as HeldColumn).gather(here), rows, here.length)
    }
    for (const place of here) {
      kept.#place(
        this.#times[place] as number,
        this.#partitions[place] as number,
        this.#offsets[place] as number,
        this.#recordTimes[place] as number,
      )
    }
    this.#columns = kept.#columns
    this.#times = kept.#times
    this.#partitions = kept.#partitions
    this.#offsets = kept.#offsets
    this.#recordTimes = kept.#recordTimes
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
