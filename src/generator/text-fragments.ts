import { assert } from '../base/assert.ts'
import { encodeText } from '../base/bytes.ts'

/** Bytes behind the last one written that a target must have: copies are made eight bytes at a time. */
export const COPY_SLACK_BYTES = 8

/**
 * Texts that are written again and again, as UTF-8 in one buffer.
 *
 * A copy moves eight bytes at once as one double. Doubles keep their bits unless they are NaN, and no eight bytes of UTF-8 text without
 * the control character DEL are: a NaN begins with the byte 7F or FF.
 */
export class TextFragments {
  #bytes = new DataView(new ArrayBuffer(4096))
  #end = 0
  #starts = new Int32Array(64)
  #lengths = new Int32Array(64)
  #count = 0

  /** Adds texts and returns the number of the first; the others follow. */
  add(texts: readonly string[]): number {
    const first = this.#count
    for (const text of texts) {
      assert(!text.includes('\x7f'), 'a fragment has no DEL')
      const encoded = encodeText(text)
      this.#reserve(encoded.length)
      new Uint8Array(this.#bytes.buffer).set(encoded, this.#end)
      this.#starts[this.#count] = this.#end
      this.#lengths[this.#count] = encoded.length
      this.#end += encoded.length
      this.#count++
    }
    return first
  }

  /** Writes a fragment; returns the position behind it. Bytes behind that are overwritten. */
  write(fragment: number, target: DataView, at: number): number {
    const source = this.#bytes
    const start = this.#starts[fragment]
    const length = this.#lengths[fragment]
    for (let done = 0; done < length; done += 8) {
      target.setFloat64(at + done, source.getFloat64(start + done, true), true)
    }
    return at + length
  }

  #reserve(length: number): void {
    if (this.#count === this.#starts.length) {
      this.#starts = grown(this.#starts)
      this.#lengths = grown(this.#lengths)
    }
    const needed = this.#end + length + COPY_SLACK_BYTES
    if (needed <= this.#bytes.byteLength) return
    const bytes = new Uint8Array(2 * needed)
    bytes.set(new Uint8Array(this.#bytes.buffer, 0, this.#end))
    this.#bytes = new DataView(bytes.buffer)
  }
}

function grown(numbers: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * numbers.length)
  larger.set(numbers)
  return larger
}
