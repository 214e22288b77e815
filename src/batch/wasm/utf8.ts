/** Whether bytes are well-formed UTF-8 (Unicode 16, table 3-7). Some bytes behind the end are looked at, not judged. */
export function validUtf8(start: usize, end: usize): bool {
  let at = start
  while (at < end) {
    const high = <u32>i8x16.bitmask(v128.load(at))
    if (high == 0) {
      at += 16
      continue
    }
    at += ctz(high)
    if (at >= end) return true
    const length = sequenceLength(at)
    if (length == 0 || at + length > end) return false
    at += length
  }
  return true
}

/** Whether all bytes are ASCII. Up to 63 behind the end are taken for part of it. */
export function isAscii(start: usize, end: usize): bool {
  let all = i8x16.splat(0)
  for (let at = start; at < end; at += 64) {
    const left = v128.or(v128.load(at), v128.load(at, 16))
    const right = v128.or(v128.load(at, 32), v128.load(at, 48))
    all = v128.or(all, v128.or(left, right))
  }
  return i8x16.bitmask(all) == 0
}

/** Bytes of the character that begins at `at` with a byte that is not ASCII; 0 when none does. */
function sequenceLength(at: usize): usize {
  const lead = <u32>load<u8>(at)
  const second = <u32>load<u8>(at, 1)
  if (lead < 0xc2 || lead > 0xf4) return 0
  if (lead < 0xe0) return isContinuation(second) ? 2 : 0
  if (!isContinuation(load<u8>(at, 2))) return 0
  if (lead < 0xf0) {
    const min: u32 = lead == 0xe0 ? 0xa0 : 0x80
    const max: u32 = lead == 0xed ? 0x9f : 0xbf
    return second >= min && second <= max ? 3 : 0
  }
  const min: u32 = lead == 0xf0 ? 0x90 : 0x80
  const max: u32 = lead == 0xf4 ? 0x8f : 0xbf
  return second >= min && second <= max && isContinuation(load<u8>(at, 3)) ? 4 : 0
}

function isContinuation(byte: u32): bool {
  return (byte & 0xc0) == 0x80
}
