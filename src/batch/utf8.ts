/**
 * Whether `bytes[start, end)` is well-formed UTF-8 (Unicode 16, table 3-7): no overlong form, no surrogate, nothing above
 * U+10FFFF, nothing cut off.
 */
export function validUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start
  while (at < end) {
    const lead = bytes[at]
    if (lead < 0x80) {
      at++
      continue
    }
    const length = sequenceLength(lead)
    if (length === 0 || at + length > end) return false
    const second = bytes[at + 1]
    if (second < secondMin(lead) || second > secondMax(lead)) return false
    if (length > 2 && (bytes[at + 2] & 0xc0) !== 0x80) return false
    if (length > 3 && (bytes[at + 3] & 0xc0) !== 0x80) return false
    at += length
  }
  return true
}

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
