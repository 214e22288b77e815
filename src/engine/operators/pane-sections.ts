import { type ByteReader, ByteWriter } from '../../base/bytes.ts'
import { TIME_MAX_MS } from '../event-times.ts'
import type { KeyTable } from '../keys/key-table.ts'
import { SHARDS } from '../keys/key-table.ts'
import type { GroupOrder } from '../operator.ts'
import type { WindowGrid } from '../windows/window-grid.ts'
import type { Pane } from './pane.ts'

/*
 * Panes as bytes, a section for each shard, so that the bytes do not depend on which worker holds which shard:
 *
 *   section   panes | pane, pane, ...            pane   start | groups | keys | values of aggregate 1 | of aggregate 2 | ...
 *
 * Panes by start, groups by key bytes where the order counts.
 */

/** A pane with the slots of its groups by shard. */
export interface ShardedPane {
  readonly pane: Pane
  readonly slots: readonly (readonly number[])[]
}

/** Sorts the groups of a pane by shard. */
export function sharded(pane: Pane, keys: KeyTable): ShardedPane {
  const slots: number[][] = Array.from({ length: SHARDS }, () => [])
  for (let slot = 0; slot < pane.size; slot++) slots[keys.shard(pane.slots.keyId(slot))]?.push(slot)
  return { pane, slots }
}

/** Writes the groups of some shards. */
export function writePanes(
  panes: readonly ShardedPane[],
  keys: KeyTable,
  shards: readonly number[],
  writer: ByteWriter,
  order: GroupOrder,
): void {
  const section = new ByteWriter(4096)
  for (const shard of shards) {
    section.clear()
    const filled = panes.filter(({ slots }) => (slots[shard] as readonly number[]).length > 0)
    section.varint(filled.length)
    for (const { pane, slots } of filled) writePane(pane, slots[shard] as readonly number[], keys, section, order)
    writer.bytes(section.view())
  }
}

function writePane(
  pane: Pane,
  unsorted: readonly number[],
  keys: KeyTable,
  section: ByteWriter,
  order: GroupOrder,
): void {
  const slots = Int32Array.from(unsorted)
  if (order === 'canonical') keys.sort(slots, pane.slots.keyIds)
  section.f64(pane.startMs)
  section.varint(slots.length)
  for (const slot of slots) keys.write(pane.slots.keyId(slot), section)
  for (const state of pane.states) state.write(slots, slots.length, section, order)
}

/** Adds the groups of as many shards to the panes that `paneOf` gives. */
export function mergePanes(
  reader: ByteReader,
  shardCount: number,
  keys: KeyTable,
  grid: WindowGrid,
  paneOf: (startMs: number) => Pane,
): void {
  for (let shard = 0; shard < shardCount; shard++) {
    const section = reader.section()
    for (let panes = section.varint(); panes > 0; panes--) mergePane(section, keys, grid, paneOf)
  }
}

function mergePane(section: ByteReader, keys: KeyTable, grid: WindowGrid, paneOf: (startMs: number) => Pane): void {
  const startMs = section.f64()
  if (!(Math.abs(startMs) <= TIME_MAX_MS && grid.paneAt(startMs) === startMs)) {
    throw section.corrupt(`no pane begins at ${startMs}`)
  }
  const pane = paneOf(startMs)
  const slots = new Int32Array(section.count())
  for (let index = 0; index < slots.length; index++) slots[index] = pane.slots.slot(keys.read(section))
  pane.grow()
  for (const state of pane.states) state.merge(slots, slots.length, section)
  pane.markChanged(slots, slots.length)
}
