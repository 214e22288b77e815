/**
 * Whether the bytes from `start` to `end` are well-formed UTF-8 (Unicode 16, table 3-7): no overlong form, no surrogate, nothing above
 * U+10FFFF, nothing cut off.
 */
export function validUtf8(view: DataView, start: number, end: number): boolean {
  let at = start
  while (at < end) {
    if (at + 4 <= end && (view.getInt32(at, true) & HIGH_BITS) === 0) {
      at += 4
      continue
    }
    const lead = view.getUint8(at)
    if (lead < 0x80) {
      at++
      continue
    }
    const length = sequenceLength(lead)
    if (length === 0 || at + length > end) return false
    const second = view.getUint8(at + 1)
    if (second < secondMin(lead) || second > secondMax(lead)) return false
    if (length > 2 && (view.getUint8(at + 2) & 0xc0) !== 0x80) return false
    if (length > 3 && (view.getUint8(at + 3) & 0xc0) !== 0x80) return false
    at += length
  }
  return true
}

/** The highest bit of each of four bytes: set in all that is not ASCII. */
export const HIGH_BITS = 0x80808080

function sequenceLength(lead: number): number {
  if (lead < 0xc2) return 0
  if (lead < 0xe0) return 2
  if (lead < 0xf0) return 3
  return lead < 0xf5 ? 4 : 0
}

function secondMin(lead: number): number {
  if (lead === 0xe0) return 0xa0
  return lead === 0xf0 ? 0x90 : 0x80
}

function secondMax(lead: number): number {
  if (lead === 0xed) return 0x9f
  return lead === 0xf4 ? 0x8f : 0xbf
}
