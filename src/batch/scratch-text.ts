import { BACKSLASH, CLOSE_BRACE, COMMA, hexUnit, LETTER_U, OPEN_BRACE } from './json-scanner.ts'

/**
 * Text that does not stand in the input as it is: strings without their escapes, and the members that no field reads,
 * as an object of their own. Each is at most as long as what it is made of, so each has an area as long as the input.
 */
export class ScratchText {
  #bytes: Uint8Array = new Uint8Array(0)
  /** Where the next text will begin: to roll back to, and to know where the last `unescape` has written. */
  textAt = 0
  #restAt = 0
  /** The row's object of unknown members: where it begins, and where it ends so far. */
  #restEnd = 0

  attach(bytes: Uint8Array, textAt: number, restAt: number): void {
    this.#bytes = bytes
    this.textAt = textAt
    this.#restAt = restAt
    this.#restEnd = restAt
  }

  /** Forgets what a row that is given up has written. */
  rollBack(textAt: number): void {
    this.textAt = textAt
    this.#restEnd = this.#restAt
  }

  /** Writes the content of a valid JSON string, without escapes, as UTF-8 to `textAt`; gives its length. */
  unescape(start: number, end: number): number {
    const bytes = this.#bytes
    const textStart = this.textAt
    let to = textStart
    for (let from = start; from < end; ) {
      const byte = bytes[from]
      if (byte !== BACKSLASH) {
        bytes[to++] = byte
        from++
      } else if (bytes[from + 1] !== LETTER_U) {
        bytes[to++] = SIMPLE_ESCAPES[bytes[from + 1]]
        from += 2
      } else {
        let codePoint = hexUnit(bytes, from + 2)
        from += 6
        if (codePoint >= 0xd800 && codePoint <= 0xdfff) {
          codePoint = 0x10000 + ((codePoint & 0x3ff) << 10) + (hexUnit(bytes, from + 2) & 0x3ff)
          from += 6
        }
        to = writeCodePoint(bytes, to, codePoint)
      }
    }
    this.textAt = to
    return to - textStart
  }

  /** Adds `"name": value`, verbatim, to the row's object of unknown members. */
  appendMember(start: number, end: number): void {
    this.#bytes[this.#restEnd] = this.#restEnd === this.#restAt ? OPEN_BRACE : COMMA
    this.#bytes.copyWithin(this.#restEnd + 1, start, end)
    this.#restEnd += 1 + end - start
  }

  /** Where the row's object of unknown members begins. */
  get restAt(): number {
    return this.#restAt
  }

  /** Closes the row's object of unknown members; gives its length, 0 when there were none. */
  closeRest(): number {
    if (this.#restEnd === this.#restAt) return 0
    this.#bytes[this.#restEnd++] = CLOSE_BRACE
    const length = this.#restEnd - this.#restAt
    this.#restAt = this.#restEnd
    return length
  }
}

function writeCodePoint(bytes: Uint8Array, start: number, codePoint: number): number {
  let at = start
  if (codePoint < 0x80) {
    bytes[at++] = codePoint
    return at
  }
  if (codePoint < 0x800) {
    bytes[at++] = 0xc0 | (codePoint >> 6)
  } else {
    if (codePoint < 0x10000) {
      bytes[at++] = 0xe0 | (codePoint >> 12)
    } else {
      bytes[at++] = 0xf0 | (codePoint >> 18)
      bytes[at++] = 0x80 | ((codePoint >> 12) & 0x3f)
    }
    bytes[at++] = 0x80 | ((codePoint >> 6) & 0x3f)
  }
  bytes[at++] = 0x80 | (codePoint & 0x3f)
  return at
}

/** What a letter behind a backslash stands for. */
const SIMPLE_ESCAPES = new Uint8Array(256)
for (const [letter, character] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t']) {
  SIMPLE_ESCAPES[String(letter).charCodeAt(0)] = String(character).charCodeAt(0)
}
