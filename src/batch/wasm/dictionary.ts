// A growing set of texts with dense codes, by extendible hashing (Fagin, Nievergelt, Pippenger, Strong, 1979), so that no growth
// moves more than one segment:
//
//     hash   | depth bits: which segment | ... | low bits: first slot to look at |
//
//     directory   [segment] [segment] [segment] [segment]      2^depth addresses; neighbours may share a segment
//     segment     [slot] [slot] ...                            up to 4096 slots, at most half of them taken, linear probing
//     slot        | key: first 16 bytes | hash u32 | length u32 | code + 1 u32 | address u32 |      32 bytes, half a cache line
//     entries     | place u32 | length u32 | ...               by code; place = number of the arena block << 20 | offset
//     arena       the texts one behind the other
//
// Segments, entries and arena live in blocks of the pool. The first block of a dictionary also holds its lists:
//
//     | directory 256 KB | entry blocks 4 KB | arena blocks 4 KB | unused | five segments |

import { hashLong, hashShort } from './hash'
import { BLOCK_BYTES, giveBack, linkBlock, memoryEnd, reserve, takeBlock } from './memory'

const DEPTH_MAX: u32 = 16
const DIRECTORY_BYTES: usize = 4 << 16
const ENTRY_BLOCKS_AT: usize = DIRECTORY_BYTES
const ARENA_BLOCKS_AT: usize = ENTRY_BLOCKS_AT + 4096
const FIRST_SEGMENTS_AT: usize = 3 << 17

const SLOT_BITS: u32 = 5
const SLOT_HASH: usize = 16
const SLOT_LENGTH: usize = 20
const SLOT_CODE: usize = 24
const SLOT_ADDRESS: usize = 28

const SEGMENT_BITS: usize = 17
const SEGMENT_BYTES: usize = 1 << SEGMENT_BITS
const SEGMENT_SLOTS: u32 = 4096
const SEGMENT_ENTRIES_MAX: u32 = SEGMENT_SLOTS / 2
const FIRST_SLOTS: u32 = 64
const GROWTH: u32 = 4

const ENTRY_BITS: usize = 3
const ENTRIES_PER_BLOCK_BITS: usize = 17
const PLACE_BITS: u32 = 20

// Fields of a dictionary.
const FIRST_BLOCK: usize = 0
const DEPTH_SHIFT: usize = 4 // 32 - depth
const SLOT_MASK: usize = 8
const SIZE: usize = 12
const ARENA_AT: usize = 16
const ARENA_END: usize = 20
const ARENA_BLOCKS: usize = 24
const SLAB_AT: usize = 28
const SLAB_END: usize = 32
const LAST_BLOCK: usize = 36
const SPARE_SEGMENT: usize = 40
const BYTE_LENGTH: usize = 44
const DICTIONARY_BYTES: usize = 64

/** For each 128 KB of the memory: entries (u16) and depth (u16) of the segment there. */
let segmentInfos: usize = 0
/** Vectors of which the first 0 to 16 bytes are set. */
const MASKS: usize = memory.data(17 * 16, 16)

/** To be called once, before the pool begins. */
export function prepareDictionaries(): void {
  segmentInfos = reserve((memoryEnd() >> SEGMENT_BITS) << 2)
  for (let length: usize = 0; length <= 16; length++) memory.fill(MASKS + (length << 4), 0xff, length)
}

/** Reserves a dictionary; to be called before the pool begins. It is usable after `resetDictionary`. */
export function createDictionary(): usize {
  return reserve(DICTIONARY_BYTES)
}

/** Gives back all that the dictionary holds, and begins an empty generation. */
export function resetDictionary(dictionary: usize): void {
  giveBack(load<u32>(dictionary, FIRST_BLOCK))
  memory.fill(dictionary, 0, DICTIONARY_BYTES)
  const block = takeBlock()
  linkBlock(block, 0)
  store<u32>(dictionary, block, FIRST_BLOCK)
  store<u32>(dictionary, block, LAST_BLOCK)
  store<u32>(dictionary, 31, DEPTH_SHIFT)
  store<u32>(dictionary, FIRST_SLOTS - 1, SLOT_MASK)
  store<u32>(dictionary, <u32>(block + FIRST_SEGMENTS_AT), SLAB_AT)
  store<u32>(dictionary, <u32>(block + BLOCK_BYTES), SLAB_END)
  const segment = takeSegment(dictionary, FIRST_SLOTS)
  store<u32>(block, segment, 0)
  store<u32>(block, segment, 4)
  setInfo(segment, 0, 0)
}

/** Codes in use are 0 to this - 1. */
export function dictionarySize(dictionary: usize): u32 {
  return load<u32>(dictionary, SIZE)
}

/** Bytes of all texts together. */
export function dictionaryByteLength(dictionary: usize): u32 {
  return load<u32>(dictionary, BYTE_LENGTH)
}

/** Address of a block of entries, by number. */
export function entryBlock(dictionary: usize, index: u32): usize {
  return load<u32>(load<u32>(dictionary, FIRST_BLOCK) + ENTRY_BLOCKS_AT + (index << 2))
}

/** Address of a block of the arena, by number. */
export function arenaBlock(dictionary: usize, index: u32): usize {
  return load<u32>(load<u32>(dictionary, FIRST_BLOCK) + ARENA_BLOCKS_AT + (index << 2))
}

/** The code of the text; a new one when the text is new. 16 bytes from `at` on must be readable. */
@inline
export function intern(dictionary: usize, at: usize, length: u32): i32 {
  return length <= 16 ? internShort(dictionary, at, length) : internLong(dictionary, at, length)
}

/** The code of the text at `at`, whose first 16 bytes are `head`; -1 when it is not in the dictionary. */
@inline
export function findCode(dictionary: usize, head: v128, at: usize, length: u32): i32 {
  let slot: usize
  if (length <= 16) {
    const key = v128.and(head, v128.load(MASKS + (length << 4)))
    slot = findShort(dictionary, key, hashShort(key, length), length)
  } else {
    slot = findLong(dictionary, hashLong(at, length), at, length)
  }
  return <i32>load<u32>(slot, SLOT_CODE) - 1
}

@inline
function internShort(dictionary: usize, at: usize, length: u32): i32 {
  const key = v128.and(v128.load(at), v128.load(MASKS + (length << 4)))
  const hash = hashShort(key, length)
  const slot = findShort(dictionary, key, hash, length)
  const code = load<u32>(slot, SLOT_CODE)
  return code != 0 ? code - 1 : add(dictionary, slot, key, hash, at, length)
}

function internLong(dictionary: usize, at: usize, length: u32): i32 {
  const hash = hashLong(at, length)
  const slot = findLong(dictionary, hash, at, length)
  const code = load<u32>(slot, SLOT_CODE)
  return code != 0 ? code - 1 : add(dictionary, slot, v128.load(at), hash, at, length)
}

/** The code of the text, or -1 when it is not in the dictionary. 16 bytes from `at` on must be readable. */
export function find(dictionary: usize, at: usize, length: u32): i32 {
  return findCode(dictionary, v128.load(at), at, length)
}

/** The slot that holds the text, or the empty one where it belongs. */
@inline
function findShort(dictionary: usize, key: v128, hash: u32, length: u32): usize {
  const mask = load<u32>(dictionary, SLOT_MASK)
  const segment = segmentOf(dictionary, hash)
  let index = hash & mask
  while (true) {
    const slot = segment + (index << SLOT_BITS)
    if (sameVector(v128.load(slot), key)) {
      if (load<u32>(slot, SLOT_LENGTH) == length) return slot
    }
    if (load<u32>(slot, SLOT_CODE) == 0) return slot
    index = (index + 1) & mask
  }
}

function findLong(dictionary: usize, hash: u32, at: usize, length: u32): usize {
  const mask = load<u32>(dictionary, SLOT_MASK)
  const segment = segmentOf(dictionary, hash)
  let index = hash & mask
  while (true) {
    const slot = segment + (index << SLOT_BITS)
    if (load<u32>(slot, SLOT_CODE) == 0) return slot
    if (load<u32>(slot, SLOT_HASH) == hash && load<u32>(slot, SLOT_LENGTH) == length) {
      if (sameLong(load<u32>(slot, SLOT_ADDRESS), at, length)) return slot
    }
    index = (index + 1) & mask
  }
}

@inline
function segmentOf(dictionary: usize, hash: u32): usize {
  const directory = load<u32>(dictionary, FIRST_BLOCK)
  return load<u32>(directory + ((<usize>(hash >> load<u32>(dictionary, DEPTH_SHIFT))) << 2))
}

@inline
function sameVector(left: v128, right: v128): bool {
  return i8x16.bitmask(i8x16.eq(left, right)) == 0xffff
}

/** Whether two texts of more than 16 bytes are the same. */
function sameLong(left: usize, right: usize, length: u32): bool {
  const tail = <usize>length - 16
  for (let at: usize = 0; at < tail; at += 16) {
    if (!sameVector(v128.load(left + at), v128.load(right + at))) return false
  }
  return sameVector(v128.load(left + tail), v128.load(right + tail))
}

/** Adds the text in an empty slot. */
function add(dictionary: usize, slot: usize, key: v128, hash: u32, at: usize, length: u32): i32 {
  const code = load<u32>(dictionary, SIZE)
  const address = keep(dictionary, code, at, length)
  v128.store(slot, key)
  store<u32>(slot, hash, SLOT_HASH)
  store<u32>(slot, length, SLOT_LENGTH)
  store<u32>(slot, code + 1, SLOT_CODE)
  store<u32>(slot, address, SLOT_ADDRESS)
  store<u32>(dictionary, code + 1, SIZE)
  makeRoom(dictionary, hash)
  return code
}

/** Copies the text into the arena, and enters where it is; gives the copy's address. */
function keep(dictionary: usize, code: u32, at: usize, length: u32): usize {
  const firstBlock = load<u32>(dictionary, FIRST_BLOCK)
  let address = load<u32>(dictionary, ARENA_AT)
  if (address + length >= load<u32>(dictionary, ARENA_END)) {
    const blockNumber = load<u32>(dictionary, ARENA_BLOCKS)
    address = takeLinkedBlock(dictionary)
    store<u32>(firstBlock + ARENA_BLOCKS_AT + (blockNumber << 2), address)
    store<u32>(dictionary, blockNumber + 1, ARENA_BLOCKS)
    store<u32>(dictionary, <u32>(address + BLOCK_BYTES), ARENA_END)
  }
  memory.copy(address, at, length)
  store<u32>(dictionary, <u32>(address + length), ARENA_AT)
  store<u32>(dictionary, load<u32>(dictionary, BYTE_LENGTH) + length, BYTE_LENGTH)

  const entryBlocks = firstBlock + ENTRY_BLOCKS_AT + ((<usize>(code >> ENTRIES_PER_BLOCK_BITS)) << 2)
  const indexInBlock = <usize>(code & ((1 << ENTRIES_PER_BLOCK_BITS) - 1))
  if (indexInBlock == 0) store<u32>(entryBlocks, <u32>takeLinkedBlock(dictionary))
  const entry = load<u32>(entryBlocks) + (indexInBlock << ENTRY_BITS)
  const blockNumber = load<u32>(dictionary, ARENA_BLOCKS) - 1
  store<u32>(entry, (blockNumber << PLACE_BITS) | <u32>(address & (BLOCK_BYTES - 1)))
  store<u32>(entry, length, 4)
  return address
}

/** Counts a new entry in the segment of the hash, and grows what has become too full. */
function makeRoom(dictionary: usize, hash: u32): void {
  const segment = segmentOf(dictionary, hash)
  const entries = segmentEntries(segment) + 1
  const depth = segmentDepth(segment)
  setInfo(segment, entries, depth)
  const slots = load<u32>(dictionary, SLOT_MASK) + 1
  if (slots < SEGMENT_SLOTS) {
    if (entries * 4 > slots) growSegment(dictionary, segment, slots)
  } else if (entries > SEGMENT_ENTRIES_MAX && depth < DEPTH_MAX) {
    splitSegment(dictionary, segment, hash, depth)
  } else if (entries == SEGMENT_SLOTS) {
    unreachable() // 28 bits of 2,000 seeded hashes would have to be the same.
  }
}

/** While there is one segment, it grows: over into another one, which then is the only one. */
function growSegment(dictionary: usize, segment: usize, slots: u32): void {
  const grownSlots = slots * GROWTH
  const grown = takeSegment(dictionary, grownSlots)
  store<u32>(dictionary, grownSlots - 1, SLOT_MASK)
  const directory = load<u32>(dictionary, FIRST_BLOCK)
  store<u32>(directory, grown, 0)
  store<u32>(directory, grown, 4)
  for (let index: usize = 0; index < <usize>slots; index++) {
    const slot = segment + (index << SLOT_BITS)
    if (load<u32>(slot, SLOT_CODE) != 0) moveSlot(slot, grown, grownSlots - 1)
  }
  setInfo(grown, segmentEntries(segment), 0)
  store<u32>(dictionary, segment, SPARE_SEGMENT)
}

/** Moves the entries of a segment into two new ones by one more bit of their hashes; the old one is free for the next split. */
function splitSegment(dictionary: usize, segment: usize, hash: u32, depth: u32): void {
  if (32 - load<u32>(dictionary, DEPTH_SHIFT) == depth) doubleDirectory(dictionary)
  const left = takeSegment(dictionary, SEGMENT_SLOTS)
  const right = takeSegment(dictionary, SEGMENT_SLOTS)
  let leftEntries: u32 = 0
  let rightEntries: u32 = 0
  for (let index: usize = 0; index < SEGMENT_SLOTS; index++) {
    const slot = segment + (index << SLOT_BITS)
    if (load<u32>(slot, SLOT_CODE) == 0) continue
    if ((load<u32>(slot, SLOT_HASH) >> (31 - depth)) & 1) {
      moveSlot(slot, right, SEGMENT_SLOTS - 1)
      rightEntries++
    } else {
      moveSlot(slot, left, SEGMENT_SLOTS - 1)
      leftEntries++
    }
  }
  setInfo(left, leftEntries, depth + 1)
  setInfo(right, rightEntries, depth + 1)
  pointDirectory(dictionary, hash, depth, left, right)
  store<u32>(dictionary, segment, SPARE_SEGMENT)
}

/** The directory entries that led to a segment of this depth lead to its halves. */
function pointDirectory(dictionary: usize, hash: u32, depth: u32, left: usize, right: usize): void {
  const directory = load<u32>(dictionary, FIRST_BLOCK)
  const directoryDepth = 32 - load<u32>(dictionary, DEPTH_SHIFT)
  const half: usize = 1 << (directoryDepth - depth - 1)
  // A shift by 32 would be one by 0.
  const first = depth == 0 ? 0 : (<usize>(hash >> (32 - depth))) << (directoryDepth - depth)
  for (let index: usize = 0; index < half; index++) {
    store<u32>(directory + ((first + index) << 2), left)
    store<u32>(directory + ((first + half + index) << 2), right)
  }
}

function doubleDirectory(dictionary: usize): void {
  const directory = load<u32>(dictionary, FIRST_BLOCK)
  const depth = 32 - load<u32>(dictionary, DEPTH_SHIFT)
  for (let index = <isize>(1 << depth) - 1; index >= 0; index--) {
    const segment = load<u32>(directory + (<usize>index << 2))
    store<u32>(directory + (<usize>index << 3), segment, 0)
    store<u32>(directory + (<usize>index << 3), segment, 4)
  }
  store<u32>(dictionary, 31 - depth, DEPTH_SHIFT)
}

@inline
function moveSlot(slot: usize, segment: usize, mask: u32): void {
  let index = load<u32>(slot, SLOT_HASH) & mask
  while (load<u32>(segment + (index << SLOT_BITS), SLOT_CODE) != 0) index = (index + 1) & mask
  const target = segment + (index << SLOT_BITS)
  v128.store(target, v128.load(slot))
  v128.store(target, v128.load(slot, 16), 16)
}

/** Takes a segment with `slots` empty slots. */
function takeSegment(dictionary: usize, slots: u32): usize {
  let segment = load<u32>(dictionary, SPARE_SEGMENT)
  if (segment != 0) {
    store<u32>(dictionary, 0, SPARE_SEGMENT)
  } else {
    segment = load<u32>(dictionary, SLAB_AT)
    if (segment == load<u32>(dictionary, SLAB_END)) {
      segment = takeLinkedBlock(dictionary)
      store<u32>(dictionary, <u32>(segment + BLOCK_BYTES), SLAB_END)
    }
    store<u32>(dictionary, <u32>(segment + SEGMENT_BYTES), SLAB_AT)
  }
  memory.fill(segment, 0, (<usize>slots) << SLOT_BITS)
  return segment
}

/** Takes a block that is given back with the dictionary. */
function takeLinkedBlock(dictionary: usize): usize {
  const block = takeBlock()
  linkBlock(block, 0)
  linkBlock(load<u32>(dictionary, LAST_BLOCK), block)
  store<u32>(dictionary, block, LAST_BLOCK)
  return block
}

function segmentEntries(segment: usize): u32 {
  return load<u16>(segmentInfos + ((segment >> SEGMENT_BITS) << 2))
}

function segmentDepth(segment: usize): u32 {
  return load<u16>(segmentInfos + ((segment >> SEGMENT_BITS) << 2), 2)
}

function setInfo(segment: usize, entries: u32, depth: u32): void {
  const info = segmentInfos + ((segment >> SEGMENT_BITS) << 2)
  store<u16>(info, <u16>entries)
  store<u16>(info, <u16>depth, 2)
}
