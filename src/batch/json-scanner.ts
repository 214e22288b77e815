import { NESTING_DEPTH_MAX, RowError } from './batch.ts'
import { JsonNumber } from './json-number.ts'

/**
 * Walks over JSON (RFC 8259) in bytes without making anything of it. Where a method gives a position, a negative one says
 * that the grammar does not hold, and `error` why.
 *
 * It knows no end: the byte behind the text must be one that no JSON can go on with (a NUL, or a line feed as long as
 * line breaks are no space, see `begin`), and seven more bytes behind it must be readable.
 * It looks at four bytes at a time and does not judge UTF-8; `high` tells whether there is anything to judge.
 */
export class JsonScanner {
  bytes: Uint8Array = new Uint8Array(0)
  view: DataView = new DataView(new ArrayBuffer(0))
  readonly number: JsonNumber = new JsonNumber()
  /** Every four bytes that string scans saw, OR-ed: without a high bit all of them were ASCII. May have seen a little more. */
  high = 0
  /** Whether a string held an escaped surrogate without its other half. Such a text has no UTF-8 form. */
  loneSurrogate = false
  error: number = RowError.none
  #lineBreakIsSpace = false

  /** Sets what is walked over; both show the same bytes. */
  attach(bytes: Uint8Array, view: DataView): void {
    this.bytes = bytes
    this.view = view
  }

  /** Forgets what was seen of the row before. */
  begin(lineBreakIsSpace: boolean): void {
    this.high = 0
    this.loneSurrogate = false
    this.error = RowError.none
    this.#lineBreakIsSpace = lineBreakIsSpace
  }

  /** Position of the first byte that is not white space. */
  space(from: number): number {
    const bytes = this.bytes
    let at = from
    for (;;) {
      const byte = bytes[at]
      const lineBreak = byte === LINE_FEED || byte === CARRIAGE_RETURN
      if (byte !== SPACE && byte !== TAB && !(lineBreak && this.#lineBreakIsSpace)) return at
      at++
    }
  }

  /** From inside a string: position of the first quote, backslash or control character. */
  plainEnd(from: number): number {
    const view = this.view
    let high = this.high
    for (let at = from; ; at += 4) {
      const word = view.getInt32(at, true)
      high |= word
      const quote = (word ^ 0x22222222) - 0x01010101
      const backslash = (word ^ 0x5c5c5c5c) - 0x01010101
      const control = word - 0x20202020
      const stops = (quote | backslash | control) & ~word & 0x80808080
      if (stops !== 0) {
        this.high = high
        return at + ((31 - Math.clz32(stops & -stops)) >> 3)
      }
    }
  }

  /** From behind a string's opening quote: position of its closing one. */
  stringEnd(from: number): number {
    let at = this.plainEnd(from)
    while (this.bytes[at] === BACKSLASH) {
      at = this.#escapeEnd(at)
      if (at < 0) return at
      at = this.plainEnd(at)
    }
    return this.bytes[at] === QUOTE ? at : this.fail(RowError.notJson)
  }

  /** From the first byte of a value: the position behind it. `depth` is the number of arrays and objects around it. */
  valueEnd(from: number, depth: number): number {
    let at = from
    let level = depth
    /** One bit for each open level: 1 object, 0 array. */
    let objects = 0
    for (;;) {
      const byte = this.bytes[at]
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (level === NESTING_DEPTH_MAX) return this.fail(RowError.tooDeep)
        const object = byte === OPEN_BRACE
        at = this.space(at + 1)
        if (this.bytes[at] !== (object ? CLOSE_BRACE : CLOSE_BRACKET)) {
          level++
          objects = (objects << 1) | (object ? 1 : 0)
          if (object) at = this.#nameEnd(at)
          if (at < 0) return at
          continue
        }
        at++
      } else {
        at = this.#scalarEnd(at, byte)
        if (at < 0) return at
      }
      for (; level > depth; level--) {
        at = this.space(at)
        const object = (objects & 1) === 1
        if (this.bytes[at] === COMMA) {
          at = this.space(at + 1)
          if (object) at = this.#nameEnd(at)
          break
        }
        if (this.bytes[at] !== (object ? CLOSE_BRACE : CLOSE_BRACKET)) return this.fail(RowError.notJson)
        at++
        objects >>>= 1
      }
      if (at < 0 || level === depth) return at
    }
  }

  #scalarEnd(from: number, byte: number): number {
    if (byte === QUOTE) {
      const end = this.stringEnd(from + 1)
      return end < 0 ? end : end + 1
    }
    const word = this.view.getInt32(from, true)
    if (word === WORD_TRUE || word === WORD_NULL) return from + 4
    if (word === WORD_FALS && this.bytes[from + 4] === LETTER_E) return from + 5
    const end = this.number.scan(this.bytes, from)
    return end < 0 ? this.fail(RowError.notJson) : end
  }

  /** From where a member's name must begin: position of its value. */
  #nameEnd(from: number): number {
    if (this.bytes[from] !== QUOTE) return this.fail(RowError.notJson)
    const end = this.stringEnd(from + 1)
    if (end < 0) return end
    const colon = this.space(end + 1)
    return this.bytes[colon] === COLON ? this.space(colon + 1) : this.fail(RowError.notJson)
  }

  /** From a backslash: the position behind the escape, behind both halves of a pair of surrogates. */
  #escapeEnd(from: number): number {
    const letter = this.bytes[from + 1]
    if (letter !== LETTER_U) return SIMPLE_ESCAPES[letter] === 1 ? from + 2 : this.fail(RowError.notJson)
    const unit = hexUnit(this.bytes, from + 2)
    if (unit < 0) return this.fail(RowError.notJson)
    if (unit < 0xd800 || unit > 0xdfff) return from + 6
    if (unit < 0xdc00 && this.bytes[from + 6] === BACKSLASH && this.bytes[from + 7] === LETTER_U) {
      const second = hexUnit(this.bytes, from + 8)
      if (second >= 0xdc00 && second <= 0xdfff) return from + 12
    }
    this.loneSurrogate = true
    return from + 6
  }

  /** Says what is wrong; gives the negative position to return. */
  fail(error: number): number {
    this.error = error
    return -1
  }
}

/** Value of four hexadecimal digits, or -1 when they are none. */
export function hexUnit(bytes: Uint8Array, at: number): number {
  return (
    (HEX_VALUES[bytes[at]] << 12) |
    (HEX_VALUES[bytes[at + 1]] << 8) |
    (HEX_VALUES[bytes[at + 2]] << 4) |
    HEX_VALUES[bytes[at + 3]]
  )
}

/** Value of each hexadecimal digit, -1 for every other byte. */
export const HEX_VALUES: Int8Array = new Int8Array(256).fill(-1)
for (let value = 0; value < 16; value++) {
  HEX_VALUES[value.toString(16).charCodeAt(0)] = value
  HEX_VALUES[value.toString(16).toUpperCase().charCodeAt(0)] = value
}

const SIMPLE_ESCAPES = new Uint8Array(256)
for (const letter of '"\\/bfnrt') SIMPLE_ESCAPES[letter.charCodeAt(0)] = 1

export const TAB = 0x09
export const LINE_FEED = 0x0a
export const CARRIAGE_RETURN = 0x0d
export const SPACE = 0x20
export const QUOTE = 0x22
export const COMMA = 0x2c
export const COLON = 0x3a
export const OPEN_BRACKET = 0x5b
export const BACKSLASH = 0x5c
export const CLOSE_BRACKET = 0x5d
export const LETTER_E = 0x65
export const LETTER_U = 0x75
export const OPEN_BRACE = 0x7b
export const CLOSE_BRACE = 0x7d

/** `null`, `true` and `fals` as little-endian words. */
export const WORD_NULL = 0x6c6c756e
export const WORD_TRUE = 0x65757274
export const WORD_FALS = 0x736c6166
