// The decoder's fast path, as a module that the host sets up once and then calls a few times for each batch. The host is
// `../wasm-decoder.ts`; the order of calls is: `prepare`, columns, members, `beginPool`, dictionaries; then, for each batch,
// `beginBatch`, `readLines` or `readRecords`, and `internColumn` for each column of texts with a dictionary.

import { addColumn, prepareColumns } from './column'
import { createDictionary, intern, prepareDictionaries } from './dictionary'
import { seedHash } from './hash'
import { prepareGraph } from './member-graph'
import { prepareMembers } from './member-table'
import { prepareClasses } from './operation'
import { prepareTimes } from './timestamp'

export { addMember } from './member-table'
export { addColumn } from './column'
export { arenaBlock, dictionaryByteLength, dictionarySize, entryBlock, resetDictionary } from './dictionary'
export { beginBatch, prepareRows, readLines, unreadRowCount } from './framing'
export { beginPool, freeBlocks, reserve } from './memory'
export { internNewTexts, prepareNewTexts } from './new-text'
export { prepareRest } from './row'
export { damagedPosition, offsetBehind, readRecords } from './record-batch'
export { restAt, textAt } from './scratch-text'
export { createDictionary, prepareColumns, prepareMembers }

/** Prepares what does not depend on the schema. Comes first. */
export function prepare(seed: u32): void {
  seedHash(seed)
  prepareClasses()
  prepareTimes()
  prepareDictionaries()
  prepareGraph()
}

/** Finds the code of each text: -1 where its length is negative. */
export function internColumn(
  dictionary: usize,
  base: usize,
  starts: usize,
  lengths: usize,
  codes: usize,
  rowCount: u32,
): void {
  for (let row: usize = 0; row < <usize>rowCount; row++) {
    const length = load<i32>(lengths + (row << 2))
    const code = length < 0 ? -1 : intern(dictionary, base + load<u32>(starts + (row << 2)), length)
    store<i32>(codes + (row << 2), code)
  }
}

/** As `internColumn`, for the rows of a list only. */
export function internRows(
  dictionary: usize,
  base: usize,
  starts: usize,
  lengths: usize,
  codes: usize,
  rows: usize,
  count: u32,
): void {
  for (let index: usize = 0; index < <usize>count; index++) {
    const row = <usize>load<u32>(rows + (index << 2)) << 2
    const length = load<i32>(lengths + row)
    store<i32>(codes + row, length < 0 ? -1 : intern(dictionary, base + load<u32>(starts + row), length))
  }
}
