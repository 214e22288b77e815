// A module of its own: unpacks LZ4 frames (lz4_Frame_format.md 1.6, lz4_Block_format.md) from one place of the host's memory to another.
//
//     | input | slack | output | slack |
//
// Copies go in steps of 16 bytes: they read and write up to that much behind what they are for, so that the host leaves as much room there.

/** The bytes are not a frame. */
const DAMAGED: i32 = -1
/** They would be, with more room for the output. */
const NO_ROOM: i32 = -2

const MAGIC: u32 = 0x184d2204
/** Magic number, flags, size of blocks, checksum of these. */
const HEAD_BYTES: usize = 7
const CONTENT_SIZE_BYTES: usize = 8
const CHECKSUM_BYTES: usize = 4

const VERSION_BITS: u32 = 0xc0
const VERSION: u32 = 0x40
const HAS_BLOCK_CHECKSUMS: u32 = 0x10
const HAS_CONTENT_SIZE: u32 = 0x08
const HAS_DICTIONARY: u32 = 0x01
const BLOCK_IS_PLAIN: u32 = 0x80000000

const LENGTH_GOES_ON: usize = 15
const MATCH_BYTES_MIN: usize = 4
const STEP_BYTES: usize = 16

const CUT_OFF: usize = 0

/** Where the number that was read last ended, or `CUT_OFF`. */
let numberEnd: usize = 0

/**
 * Unpacks a frame; gives the bytes written, `DAMAGED`, or `NO_ROOM`. Checksums are not compared: record batches have a better one
 * over all of it.
 */
export function unpackLz4(input: usize, length: usize, output: usize, room: usize): i32 {
  const end = input + length
  if (length < HEAD_BYTES || load<u32>(input) != MAGIC) return DAMAGED
  const flags = <u32>load<u8>(input, 4)
  if ((flags & VERSION_BITS) != VERSION || (flags & HAS_DICTIONARY) != 0) return DAMAGED
  const trailer: usize = (flags & HAS_BLOCK_CHECKSUMS) != 0 ? CHECKSUM_BYTES : 0
  let at = input + HEAD_BYTES + ((flags & HAS_CONTENT_SIZE) != 0 ? CONTENT_SIZE_BYTES : 0)
  if (at > end) return DAMAGED
  let to = output
  while (end - at >= 4) {
    const head = load<u32>(at)
    if (head == 0) return <i32>(to - output)
    at += 4
    const size: usize = head & ~BLOCK_IS_PLAIN
    // A sum of the two could be more than an address can be.
    if (size > end - at || trailer > end - at - size) return DAMAGED
    if ((head & BLOCK_IS_PLAIN) != 0) {
      if (size > output + room - to) return NO_ROOM
      memory.copy(to, at, size)
      to += size
    } else {
      const written = unpackBlock(at, at + size, to, output, output + room)
      if (written < 0) return written
      to += written
    }
    at += size + trailer
  }
  return DAMAGED
}

/** Unpacks a block to `to`; gives the bytes written or what is wrong. What it repeats may lie in earlier blocks, from `start` on. */
function unpackBlock(from: usize, end: usize, to: usize, start: usize, limit: usize): i32 {
  const begin = to
  while (from < end) {
    const token = <usize>load<u8>(from++)
    let literals = token >> 4
    if (literals == LENGTH_GOES_ON) {
      literals += numberAt(from, end)
      from = numberEnd
      if (from == CUT_OFF) return DAMAGED
    }
    if (literals > end - from) return DAMAGED
    if (literals > limit - to) return NO_ROOM
    copy(to, from, literals)
    to += literals
    from += literals
    if (from == end) return <i32>(to - begin)
    if (end - from < 2) return DAMAGED
    const distance: usize = load<u16>(from)
    from += 2
    if (distance == 0 || distance > to - start) return DAMAGED
    let length = token & LENGTH_GOES_ON
    if (length == LENGTH_GOES_ON) {
      length += numberAt(from, end)
      from = numberEnd
      if (from == CUT_OFF) return DAMAGED
    }
    length += MATCH_BYTES_MIN
    if (length > limit - to) return NO_ROOM
    if (distance >= STEP_BYTES) copy(to, to - distance, length)
    else repeat(to, distance, length)
    to += length
  }
  // A block ends with literals.
  return DAMAGED
}

/** The sum of bytes up to and including the first that is not 255, which is where `numberEnd` is then. */
function numberAt(from: usize, end: usize): usize {
  let sum: usize = 0
  while (from < end) {
    const byte = <usize>load<u8>(from++)
    sum += byte
    if (byte != 255) {
      numberEnd = from
      return sum
    }
  }
  numberEnd = CUT_OFF
  return sum
}

/** Copies forward; what is copied may begin less than `length`, but not less than a step, before where it goes. */
function copy(to: usize, from: usize, length: usize): void {
  v128.store(to, v128.load(from))
  for (let done = STEP_BYTES; done < length; done += STEP_BYTES) v128.store(to + done, v128.load(from + done))
}

/** Repeats the last `distance` bytes, fewer than a step. */
function repeat(to: usize, distance: usize, length: usize): void {
  if (distance >= 8) {
    for (let done: usize = 0; done < length; done += 8) store<u64>(to + done, load<u64>(to + done - distance))
    return
  }
  for (let done: usize = 0; done < length; done++) store<u8>(to + done, load<u8>(to + done - distance))
}
