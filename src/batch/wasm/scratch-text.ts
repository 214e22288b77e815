// Text that does not stand in the input as it is. Both kinds are at most as long as what they are made of, so each has an area
// as long as the input:
//
//     input | padding | texts without escapes | objects of unknown members | padding

import { BACKSLASH, CLOSE_BRACE, COMMA, LETTER_U, OPEN_BRACE } from './characters'
import { hexUnit, unescaped } from './json-scan'

/** Where the next text without escapes will begin. */
export let textAt: usize = 0
/** Where the row's object of unknown members begins, and where it ends so far. */
export let restAt: usize = 0
let restEnd: usize = 0

/** Takes where the two areas begin. */
export function beginScratch(texts: usize, rests: usize): void {
  textAt = texts
  restAt = rests
  restEnd = rests
}

/** Forgets what a row that is given up has written. */
export function rollBack(text: usize): void {
  textAt = text
  restEnd = restAt
}

/** Writes the content of a valid JSON string, without escapes, as UTF-8 to `textAt`, and moves that on. */
export function unescape(start: usize, end: usize): void {
  let to = textAt
  let from = start
  while (from < end) {
    const byte = load<u8>(from)
    if (byte != BACKSLASH) {
      store<u8>(to++, byte)
      from++
    } else if (load<u8>(from, 1) != LETTER_U) {
      store<u8>(to++, <u8>unescaped(load<u8>(from, 1)))
      from += 2
    } else {
      let codePoint = <u32>hexUnit(from + 2)
      from += 6
      if (codePoint >= 0xd800 && codePoint <= 0xdfff) {
        codePoint = 0x10000 + ((codePoint & 0x3ff) << 10) + (<u32>hexUnit(from + 2) & 0x3ff)
        from += 6
      }
      to = writeCodePoint(to, codePoint)
    }
  }
  textAt = to
}

function writeCodePoint(to: usize, codePoint: u32): usize {
  if (codePoint < 0x80) {
    store<u8>(to, <u8>codePoint)
    return to + 1
  }
  if (codePoint < 0x800) {
    store<u8>(to, <u8>(0xc0 | (codePoint >> 6)))
    store<u8>(to, continuation(codePoint), 1)
    return to + 2
  }
  if (codePoint < 0x10000) {
    store<u8>(to, <u8>(0xe0 | (codePoint >> 12)))
    store<u8>(to, continuation(codePoint >> 6), 1)
    store<u8>(to, continuation(codePoint), 2)
    return to + 3
  }
  store<u8>(to, <u8>(0xf0 | (codePoint >> 18)))
  store<u8>(to, continuation(codePoint >> 12), 1)
  store<u8>(to, continuation(codePoint >> 6), 2)
  store<u8>(to, continuation(codePoint), 3)
  return to + 4
}

function continuation(bits: u32): u8 {
  return <u8>(0x80 | (bits & 0x3f))
}

/** Adds `"name": value`, verbatim, to the row's object of unknown members. */
export function appendMember(start: usize, end: usize): void {
  store<u8>(restEnd, <u8>(restEnd == restAt ? OPEN_BRACE : COMMA))
  memory.copy(restEnd + 1, start, end - start)
  restEnd += 1 + end - start
}

/** Closes the row's object of unknown members, and moves `restAt` behind it; gives its length, 0 when there were none. */
export function closeRest(): usize {
  if (restEnd == restAt) return 0
  store<u8>(restEnd++, <u8>CLOSE_BRACE)
  const length = restEnd - restAt
  restAt = restEnd
  return length
}
