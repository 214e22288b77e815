// Walks over JSON (RFC 8259) in bytes. A function that gives an address gives 0 when the grammar does not hold, when it goes too
// deep, or when an escaped surrogate lacks its other half: the host then looks at the row again and says why.
//
// Nothing here knows where the row ends. Behind it stands a line feed, which no token goes over, and behind the input more
// than 48 bytes can be read. A line feed is no space here: in one framing it ends the row.

import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  LETTER_E,
  LETTER_U,
  MINUS,
  OPEN_BRACE,
  OPEN_BRACKET,
  PLUS,
  POINT,
  QUOTE,
  SMALL,
  SPACE,
  splat,
  TAB,
  WORD_FALS,
  WORD_NULL,
  WORD_TRUE,
  ZERO,
} from './characters'

export const NESTING_DEPTH_MAX: u32 = 32

/** Address of the first byte that is not white space. */
@inline
export function space(at: usize): usize {
  return load<u8>(at) > <u8>SPACE ? at : spaceEnd(at)
}

function spaceEnd(from: usize): usize {
  let at = from
  while (load<u8>(at) == SPACE || load<u8>(at) == TAB) at++
  return at
}

/** One bit for each quote, backslash or control character among 16 bytes. */
@inline
export function stops(bytes: v128): u32 {
  const quotes = i8x16.eq(bytes, splat(QUOTE))
  const backslashes = i8x16.eq(bytes, splat(BACKSLASH))
  const controls = i8x16.lt_u(bytes, splat(SPACE))
  return <u32>i8x16.bitmask(v128.or(v128.or(quotes, backslashes), controls))
}

/** From inside a string: address of the first quote, backslash or control character. */
@inline
export function plainEnd(at: usize): usize {
  const first = stops(v128.load(at))
  if (first != 0) return at + ctz(first)
  const second = stops(v128.load(at, 16))
  if (second != 0) return at + 16 + ctz(second)
  return plainEndLong(at + 32)
}

function plainEndLong(from: usize): usize {
  let at = from
  while (true) {
    const found = stops(v128.load(at))
    if (found != 0) return at + ctz(found)
    at += 16
  }
}

/** From behind a string's opening quote: address of its closing one. */
@inline
export function stringEnd(at: usize): usize {
  const end = plainEnd(at)
  return load<u8>(end) == QUOTE ? end : escapedEnd(end)
}

/** From the first stop in a string: address of its closing quote. */
export function escapedEnd(from: usize): usize {
  let at = from
  while (load<u8>(at) == BACKSLASH) {
    at = escapeEnd(at)
    if (at == 0) return 0
    at = plainEnd(at)
  }
  return load<u8>(at) == QUOTE ? at : 0
}

/** From a backslash: the address behind the escape, behind both halves of a pair of surrogates. */
function escapeEnd(at: usize): usize {
  const letter = <u32>load<u8>(at, 1)
  if (letter != LETTER_U) return isSimpleEscape(letter) ? at + 2 : 0
  const unit = hexUnit(at + 2)
  if (unit < 0) return 0
  if (unit < 0xd800 || unit > 0xdfff) return at + 6
  if (unit >= 0xdc00 || load<u8>(at, 6) != BACKSLASH || load<u8>(at, 7) != LETTER_U) return 0
  const second = hexUnit(at + 8)
  return second >= 0xdc00 && second <= 0xdfff ? at + 12 : 0
}

/** Value of four hexadecimal digits, negative when they are none. */
export function hexUnit(at: usize): i32 {
  const high = (hexValue(load<u8>(at)) << 4) | hexValue(load<u8>(at, 1))
  const low = (hexValue(load<u8>(at, 2)) << 4) | hexValue(load<u8>(at, 3))
  return (high << 8) | low
}

/** Value of a hexadecimal digit, or -1: it then makes everything negative that it is a part of. */
function hexValue(character: u32): i32 {
  if (character - ZERO <= 9) return character - ZERO
  const letter = (character | SMALL) - 0x61
  return letter <= 5 ? letter + 10 : -1
}

function isSimpleEscape(letter: u32): bool {
  return unescaped(letter) != 0
}

/** What a letter behind a backslash stands for; 0 when it stands for nothing. */
export function unescaped(letter: u32): u32 {
  switch (letter) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f:
      return letter
    case 0x62:
      return 0x08
    case 0x66:
      return 0x0c
    case 0x6e:
      return 0x0a
    case 0x72:
      return 0x0d
    case 0x74:
      return 0x09
    default:
      return 0
  }
}

/** From the first byte of a member's value: the address behind it. */
export function valueEnd(from: usize): usize {
  let at = from
  /** Arrays and objects around; one is the row's own object. */
  let level: u32 = 1
  /** One bit for each of them, the innermost lowest: 1 object, 0 array. */
  let objects: u32 = 0
  while (true) {
    const byte = <u32>load<u8>(at)
    if (byte == OPEN_BRACE || byte == OPEN_BRACKET) {
      if (level == NESTING_DEPTH_MAX) return 0
      const isObject = byte == OPEN_BRACE
      at = space(at + 1)
      if (load<u8>(at) != (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) {
        level++
        objects = (objects << 1) | <u32>isObject
        if (isObject) {
          at = nameEnd(at)
          if (at == 0) return 0
        }
        continue
      }
      at++
    } else {
      at = byte == QUOTE ? quotedEnd(at) : scalarEnd(at, byte)
      if (at == 0) return 0
    }
    while (level > 1) {
      at = space(at)
      const isObject = (objects & 1) == 1
      if (load<u8>(at) == COMMA) {
        at = space(at + 1)
        if (isObject) at = nameEnd(at)
        break
      }
      if (load<u8>(at) != (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) return 0
      at++
      objects >>= 1
      level--
    }
    if (at == 0 || level == 1) return at
  }
  return unreachable()
}

/** From where a member's name must begin: address of its value. */
function nameEnd(at: usize): usize {
  if (load<u8>(at) != QUOTE) return 0
  const end = stringEnd(at + 1)
  if (end == 0) return 0
  const colon = space(end + 1)
  return load<u8>(colon) == COLON ? space(colon + 1) : 0
}

@inline
function quotedEnd(at: usize): usize {
  const end = stringEnd(at + 1)
  return end == 0 ? 0 : end + 1
}

@inline
function scalarEnd(at: usize, byte: u32): usize {
  if (byte - ZERO <= 9 || byte == MINUS) return numberEnd(at)
  const word = load<u32>(at)
  if (word == WORD_TRUE || word == WORD_NULL) return at + 4
  return word == WORD_FALS && load<u8>(at, 4) == LETTER_E ? at + 5 : 0
}

/** From the first byte of a number: the address behind it. */
function numberEnd(from: usize): usize {
  let at = load<u8>(from) == MINUS ? from + 1 : from
  if (load<u8>(at) == ZERO) {
    at++
    if (isDigit(at)) return 0
  } else {
    at = digitsEnd(at)
  }
  if (at != 0 && load<u8>(at) == POINT) at = digitsEnd(at + 1)
  if (at == 0 || (load<u8>(at) | SMALL) != LETTER_E) return at
  const sign = <u32>load<u8>(at, 1)
  return digitsEnd(sign == PLUS || sign == MINUS ? at + 2 : at + 1)
}

/** Address behind at least one digit. */
function digitsEnd(from: usize): usize {
  let at = from
  while (isDigit(at)) at++
  return at == from ? 0 : at
}

@inline
function isDigit(at: usize): bool {
  return <u32>load<u8>(at) - ZERO <= 9
}
