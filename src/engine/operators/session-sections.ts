import { type ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { AggregateState } from '../aggregates/aggregate.ts'
import { type KeyTable, SHARDS } from '../keys/key-table.ts'
import type { GroupOrder } from '../operator.ts'
import { sortedByNumber } from './number-sort.ts'
import type { SessionTable } from './session-table.ts'

/*
 * Sessions as bytes, a section for each shard, sorted by key bytes and start:
 *
 *   section   sessions | keys | starts | lasts | marks | ends | events | shown starts | values of aggregate 1 | of aggregate 2 | ...
 */

/** Slots of sessions by the shard of their key. */
export function slotsByShard(slots: Iterable<number>, table: SessionTable, keys: KeyTable): number[][] {
  const byShard: number[][] = Array.from({ length: SHARDS }, () => [])
  for (const slot of slots) byShard[keys.shard(table.keyIds[slot] as number)]?.push(slot)
  return byShard
}

/** Writes the sessions of some shards. */
export function writeSessions(
  table: SessionTable,
  byShard: readonly (readonly number[])[],
  states: readonly AggregateState[],
  keys: KeyTable,
  shards: readonly number[],
  writer: ByteWriter,
  order: GroupOrder,
): void {
  const section = new ByteWriter(4096)
  for (const shard of shards) {
    section.clear()
    let slots: Int32Array = Int32Array.from(byShard[shard] as readonly number[])
    if (order === 'canonical') {
      slots = sortedByNumber(slots, (slot) => table.startMs(slot))
      keys.sort(slots, table.keyIds)
    }
    section.varint(slots.length)
    for (const slot of slots) keys.write(table.keyIds[slot] as number, section)
    for (const slot of slots) section.u8(table.marks[slot] as number)
    for (const slot of slots) section.f64(table.startMs(slot))
    for (const slot of slots) section.f64(table.lastMs(slot))
    for (const values of numbers(table)) for (const slot of slots) section.f64(values[slot] as number)
    for (const state of states) {
      state.grow(table.slotCount)
      state.write(slots, slots.length, section, order)
    }
    writer.bytes(section.view())
  }
}

/** Writes sessions that were closed early, without their values. */
export function writeMarks(table: SessionTable, keys: KeyTable, slots: readonly number[], writer: ByteWriter): void {
  writer.varint(slots.length)
  for (const slot of slots) {
    keys.write(table.keyIds[slot] as number, writer)
    writer.f64(table.startMs(slot))
    writer.f64(table.lastMs(slot))
  }
}

/** Reads what `writeMarks` has written. */
export function readMarks(reader: ByteReader, table: SessionTable, keys: KeyTable): void {
  for (let left = reader.count(); left > 0; left--) {
    const slot = table.add(keys.read(reader), reader.f64(), reader.f64())
    table.marks[slot] = 1
    table.link(slot)
  }
}

/** Reads one section into sessions that are not linked yet. */
export function readSessions(
  section: ByteReader,
  table: SessionTable,
  states: readonly AggregateState[],
  keys: KeyTable,
): Int32Array {
  const slots = new Int32Array(section.count())
  for (let index = 0; index < slots.length; index++) slots[index] = table.add(keys.read(section), 0, 0)
  for (const slot of slots) table.marks[slot] = section.u8() === 1 ? 1 : 0
  const starts = Float64Array.from(slots, () => section.f64())
  for (const [index, slot] of slots.entries()) {
    const [startMs, lastMs] = [starts[index] as number, section.f64()]
    if (!(startMs <= lastMs && Number.isSafeInteger(startMs) && Number.isSafeInteger(lastMs))) {
      throw section.corrupt(`a session goes from ${startMs} to ${lastMs}`)
    }
    table.setSpan(slot, startMs, lastMs)
  }
  for (const values of numbers(table)) for (const slot of slots) values[slot] = section.f64()
  for (const state of states) {
    state.grow(table.slotCount)
    state.merge(slots, slots.length, section)
  }
  return slots
}

function numbers({ endedAts, events, shownStarts }: SessionTable): Float64Array[] {
  return [endedAts, events, shownStarts]
}
