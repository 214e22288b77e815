// The memory has a fixed size, which the host chose: what `reserve` hands out is never given back, everything behind it
// is a pool of blocks for dictionaries.
//
//     | static data | reserved: graph, columns, input, ... | block | block | block | ...
//     0             __heap_base                            poolStart                    memoryEnd

/** Bytes of a block; blocks begin at multiples of this. */
export const BLOCK_BYTES: usize = 1 << 20

const LINE_BYTES: usize = 64
const PAGE_BITS: usize = 16

let reservedEnd: usize = __heap_base
let poolStart: usize = 0
/** Number of the first block that was never used. */
let freshBlock: u32 = 0
let blockCount: u32 = 0
/** First block of the list of those that were given back; 0 when there is none. */
let freeBlock: usize = 0
let freeCount: u32 = 0
/** For each block: the next one of the list it is in, 0 at its end. Beside the blocks, so that a free one is not touched. */
let nextBlocks: usize = 0

/** Hands out zeroed memory for good, at the begin of a cache line. */
export function reserve(bytes: usize): usize {
  const start = (reservedEnd + LINE_BYTES - 1) & ~(LINE_BYTES - 1)
  reservedEnd = start + bytes
  if (reservedEnd > memoryEnd()) unreachable()
  return start
}

/** Makes blocks of all that is left. Nothing can be reserved afterwards. */
export function beginPool(): void {
  const blocksMax = memoryEnd() / BLOCK_BYTES
  nextBlocks = reserve(blocksMax << 2)
  poolStart = (reservedEnd + BLOCK_BYTES - 1) & ~(BLOCK_BYTES - 1)
  blockCount = <u32>((memoryEnd() - poolStart) / BLOCK_BYTES)
}

/** Blocks that can still be taken. */
export function freeBlocks(): u32 {
  return blockCount - freshBlock + freeCount
}

/** Takes a block; what it holds is undefined. There must be one, see `freeBlocks`. */
export function takeBlock(): usize {
  if (freeBlock != 0) {
    const block = freeBlock
    freeBlock = nextBlock(block)
    freeCount--
    return block
  }
  if (freshBlock == blockCount) unreachable()
  const block = poolStart + <usize>freshBlock * BLOCK_BYTES
  freshBlock++
  return block
}

/** Gives back a list of blocks, linked by `linkBlock`. */
export function giveBack(first: usize): void {
  let block = first
  while (block != 0) {
    const next = nextBlock(block)
    linkBlock(block, freeBlock)
    freeBlock = block
    freeCount++
    block = next
  }
}

/** Sets which block follows in a list; 0 ends it. */
export function linkBlock(block: usize, next: usize): void {
  store<u32>(nextBlocks + ((block / BLOCK_BYTES) << 2), next)
}

function nextBlock(block: usize): usize {
  return load<u32>(nextBlocks + ((block / BLOCK_BYTES) << 2))
}

/** Address behind the last byte of the memory. */
export function memoryEnd(): usize {
  return <usize>memory.size() << PAGE_BITS
}
