import { assert } from '../base/assert.ts'
import { encodeText } from '../base/bytes.ts'

/** Bytes behind the last one written that a target must have: copies are made sixteen bytes at a time. */
export const COPY_SLACK_BYTES = 16

/**
 * Texts that are written again and again, as UTF-8 in one buffer, each from a multiple of eight on.
 *
 * A copy moves eight bytes as one double, two of them at once. Doubles keep their bits unless they are NaN, and no eight bytes of UTF-8
 * are: the last two of a NaN are F0 to FF, then 7F or FF, which do not follow each other in text.
 */
export class TextFragments {
  #words = new Float64Array(512)
  #wordCount = 0
  #places = new Int32Array(128)
  #count = 0

  /** Adds texts and returns the number of the first; the others follow. */
  add(texts: readonly string[]): number {
    const first = this.#count
    for (const text of texts) this.addBytes(encodeText(text))
    return first
  }

  /** Adds UTF-8 text and returns its number. */
  addBytes(text: Uint8Array): number {
    this.#reserve(text.length)
    new Uint8Array(this.#words.buffer).set(text, 8 * this.#wordCount)
    this.#places[2 * this.#count] = this.#wordCount
    this.#places[2 * this.#count + 1] = text.length
    for (let left = text.length; left > 0; left -= 8) {
      assert(!Number.isNaN(this.#words[this.#wordCount++]), 'a fragment is UTF-8')
    }
    return this.#count++
  }

  /** Bytes of a fragment. */
  length(fragment: number): number {
    return this.#places[2 * fragment + 1]
  }

  /** Writes a fragment; returns the position behind it. Up to `COPY_SLACK_BYTES` behind that are overwritten. */
  write(fragment: number, target: DataView, start: number): number {
    const end = start + this.#places[2 * fragment + 1]
    copyWords(this.#words, this.#places[2 * fragment], target, start, end)
    return end
  }

  /** All fragments, until one is added. */
  get words(): Float64Array {
    return this.#words
  }

  /** For each fragment the number of its first word, then its length in bytes; until one is added. */
  get places(): Int32Array {
    return this.#places
  }

  #reserve(length: number): void {
    if (2 * this.#count === this.#places.length) {
      const places = new Int32Array(2 * this.#places.length)
      places.set(this.#places)
      this.#places = places
    }
    const needed = this.#wordCount + Math.ceil((length + COPY_SLACK_BYTES) / 8)
    if (needed <= this.#words.length) return
    const words = new Float64Array(2 * needed)
    words.set(this.#words)
    this.#words = words
  }
}

/** Copies whole words from number `first` on to `[start, end)`, and up to `COPY_SLACK_BYTES` more. */
export function copyWords(words: Float64Array, first: number, target: DataView, start: number, end: number): void {
  let word = first
  let at = start
  do {
    target.setFloat64(at, words[word], true)
    target.setFloat64(at + 8, words[word + 1], true)
    word += 2
    at += 16
  } while (at < end)
}
