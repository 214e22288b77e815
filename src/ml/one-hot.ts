import { type ByteReader, type ByteWriter, decodeText, encodeText } from '../base/bytes.ts'
import { murmur3 } from './feature-hasher.ts'

/**
 * A slot for each text (UTF-8), in the order in which they were first seen; all that come when the slots are used up share the last one, so
 * that a column with endless values costs no more than was planned. A table with open addressing finds the slot of bytes; it is never
 * more than half full, and as few texts are in it as there are slots, so texts that are chosen to collide gain little.
 */
export class OneHot {
  readonly size: number
  readonly #texts: Uint8Array[] = []
  readonly #mask: number
  /** Slot + 1. */
  readonly #table: Int32Array

  /** At least two slots. */
  constructor(size: number) {
    this.size = size
    const places = 2 ** Math.ceil(Math.log2(2 * size))
    this.#mask = places - 1
    this.#table = new Int32Array(places)
  }

  slot(text: Uint8Array): number {
    let place = murmur3(text, 0) & this.#mask
    for (let found = this.#table[place] as number; found > 0; found = this.#table[place] as number) {
      if (same(this.#texts[found - 1] as Uint8Array, text)) return found - 1
      place = (place + 1) & this.#mask
    }
    if (this.#texts.length >= this.size - 1) return this.size - 1
    this.#texts.push(text.slice())
    this.#table[place] = this.#texts.length
    return this.#texts.length - 1
  }

  /** What the slots stand for; the last one for all other texts. */
  names(): string[] {
    return this.#texts.map(decodeText)
  }

  write(writer: ByteWriter): void {
    writer.varint(this.#texts.length)
    for (const text of this.#texts) writer.bytes(text)
  }

  restore(reader: ByteReader): void {
    this.#texts.length = 0
    this.#table.fill(0)
    for (let left = reader.count(); left > 0; left--) {
      const before = this.#texts.length
      if (this.slot(encodeText(reader.text())) !== before || before >= this.size - 1) {
        throw reader.corrupt(`text ${before + 1} for ${this.size} slots`)
      }
    }
  }
}

function same(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false
  return true
}
