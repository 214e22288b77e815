import { type ByteReader, ByteWriter } from '../../base/bytes.ts'
import { TIME_MAX_MS } from '../event-times.ts'
import type { KeyTable } from '../keys/key-table.ts'
import { SHARDS } from '../keys/key-table.ts'
import type { WindowGrid } from '../windows/window-grid.ts'
import type { Pane } from './pane.ts'

/*
 * Panes as bytes, a section for each shard, so that the bytes do not depend on which worker holds which shard:
 *
 *   section   panes | pane, pane, ...            pane   start | groups | keys | values of aggregate 1 | of aggregate 2 | ...
 *
 * Panes by start, groups by key bytes.
 */

/** Writes the groups of some shards. */
export function writePanes(
  panes: readonly Pane[],
  keys: KeyTable,
  shards: readonly number[],
  writer: ByteWriter,
): void {
  const groups = panes.map((pane) => slotsByShard(pane, keys))
  const section = new ByteWriter(4096)
  for (const shard of shards) {
    section.clear()
    const held = panes.map((pane, index) => ({ pane, slots: groups[index]?.[shard] as number[] }))
    const filled = held.filter(({ slots }) => slots.length > 0)
    section.varint(filled.length)
    for (const { pane, slots } of filled) writePane(pane, slots, keys, section)
    writer.bytes(section.view())
  }
}

function writePane(pane: Pane, unsorted: readonly number[], keys: KeyTable, section: ByteWriter): void {
  const slots = Int32Array.from(unsorted).sort((left, right) =>
    keys.compare(pane.slots.keyId(left), pane.slots.keyId(right)),
  )
  section.f64(pane.startMs)
  section.varint(slots.length)
  for (const slot of slots) section.bytes(keys.bytes(pane.slots.keyId(slot)))
  for (const state of pane.states) state.write(slots, slots.length, section)
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
  for (let index = 0; index < slots.length; index++) slots[index] = pane.slots.slot(keys.intern(section.bytes()))
  pane.grow()
  for (const state of pane.states) state.merge(slots, slots.length, section)
  pane.markChanged(slots, slots.length)
}

function slotsByShard(pane: Pane, keys: KeyTable): number[][] {
  const shards: number[][] = Array.from({ length: SHARDS }, () => [])
  for (let slot = 0; slot < pane.size; slot++) shards[keys.shard(pane.slots.keyId(slot))]?.push(slot)
  return shards
}
