import { formatTime, MS_PER_DAY } from '../base/time.ts'
import { formatDecimal } from './decimal-text.ts'
import { writeDigits, writeHexByte, writeNumber } from './text-digits.ts'
import { COPY_SLACK_BYTES, copyWords, type TextFragments } from './text-fragments.ts'
import { TIME_TEXT_BYTES, TimeText } from './time-text.ts'

const INT32_MAX = 2_147_483_647
/** The years that ISO-8601 writes with four digits. */
const TIME_MIN_MS = Date.parse('0000-01-01')
const TIME_END_MS = Date.parse('9999-12-31') + MS_PER_DAY
const NUMBER_BYTES_MAX = 32
const UUID_BYTES = 36

/** Stands for a cell that is no fragment. */
export const WRITTEN: number = -1

/** How the cells of a column are come by. */
export interface CellColumn {
  readonly fragments: TextFragments
  /**
   * Tells of each row in `rows[first .. end)` which fragment its cell is, or `WRITTEN` when `write` must write it: in `numbers`, from `start`
   * on with a distance of `step`.
   */
  find(rows: Int32Array, first: number, end: number, numbers: Int32Array, start: number, step: number): void
  write(out: TextBuffer, row: number): void
}

/** Text as UTF-8 bytes in a buffer that grows: what encoders write cells into, without making strings. */
export class TextBuffer {
  #bytes: Uint8Array<ArrayBuffer>
  #view: DataView
  #length = 0
  readonly #times = new TimeText()

  constructor(capacityBytes: number = 1 << 16) {
    this.#bytes = new Uint8Array(capacityBytes + COPY_SLACK_BYTES)
    this.#view = new DataView(this.#bytes.buffer)
  }

  get length(): number {
    return this.#length
  }

  /** What was written, as a view that is valid until the next write. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Makes room for so many bytes at once, if it is known how many will come. */
  reserve(count: number): void {
    const needed = this.#length + count + COPY_SLACK_BYTES
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
    grown.set(this.view())
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }

  /** Forgets what lies behind so many bytes. */
  cut(length: number): void {
    this.#length = length
  }

  byte(byte: number): void {
    this.reserve(1)
    this.#bytes[this.#length++] = byte
  }

  bytes(source: Uint8Array): void {
    this.reserve(source.length)
    this.#bytes.set(source, this.#length)
    this.#length += source.length
  }

  /**
   * Copies text up to the first control character (below 0x20), `stop1` or `stop2`, or all of it; returns the position of that, or `end`.
   * Four bytes are looked at together. With borrows, a word may seem to hold what it does not, but only beside one that is there.
   */
  sliceUntil(source: DataView, start: number, end: number, stop1: number, stop2: number): number {
    this.reserve(end - start)
    const view = this.#view
    const stops1 = stop1 * 0x01010101
    const stops2 = stop2 * 0x01010101
    let from = start
    let to = this.#length
    for (; from + 4 <= end; from += 4) {
      const word = source.getInt32(from, true)
      const zeroAt1 = word ^ stops1
      const zeroAt2 = word ^ stops2
      const found =
        ((word - 0x20202020) & ~word) | ((zeroAt1 - 0x01010101) & ~zeroAt1) | ((zeroAt2 - 0x01010101) & ~zeroAt2)
      if ((found & 0x80808080) !== 0) break
      view.setInt32(to, word, true)
      to += 4
    }
    for (; from < end; from++) {
      const byte = source.getUint8(from)
      if (byte < 0x20 || byte === stop1 || byte === stop2) break
      view.setUint8(to++, byte)
    }
    this.#length = to
    return from
  }

  fragment(fragments: TextFragments, fragment: number): void {
    this.reserve(fragments.length(fragment))
    this.#length = fragments.write(fragment, this.#view, this.#length)
  }

  /** Writes `rows[first .. end)`, each one's cells in the order of the columns; `numbers` as `find` gave them, row by row. */
  cells(columns: readonly CellColumn[], numbers: Int32Array, rows: Int32Array, first: number, end: number): void {
    const columnCount = columns.length
    const words = columns.map(({ fragments }) => fragments.words)
    const places = columns.map(({ fragments }) => fragments.places)
    let view = this.#view
    let cell = 0
    let at = this.#length
    for (let place = first; place < end; place++) {
      for (let index = 0; index < columnCount; index++) {
        const number = numbers[cell++]
        if (number === WRITTEN) {
          this.#length = at
          columns[index].write(this, rows[place])
          at = this.#length
          view = this.#view
          continue
        }
        const columnPlaces = places[index]
        const cellEnd = at + columnPlaces[2 * number + 1]
        if (cellEnd + COPY_SLACK_BYTES > view.byteLength) {
          this.#length = at
          this.reserve(cellEnd - at)
          view = this.#view
        }
        copyWords(words[index], columnPlaces[2 * number], view, at, cellEnd)
        at = cellEnd
      }
    }
    this.#length = at
  }

  /** Text in ASCII. */
  ascii(text: string): void {
    this.reserve(text.length)
    for (let index = 0; index < text.length; index++) this.#bytes[this.#length++] = text.charCodeAt(index)
  }

  /** A number as JavaScript writes it: the shortest text that reads back as the same double; -0 is 0. */
  number(value: number): void {
    if (!Number.isInteger(value) || Math.abs(value) > INT32_MAX) {
      this.ascii(String(value))
      return
    }
    this.reserve(NUMBER_BYTES_MAX)
    this.#length = writeNumber(this.#view, this.#sign(value), Math.abs(value))
  }

  /** Units of 10^-scale with exactly `scale` digits behind the point. */
  decimal(units: number, scale: number): void {
    const magnitude = Math.abs(units)
    if (magnitude > INT32_MAX || scale === 0) {
      this.ascii(formatDecimal(units, scale))
      return
    }
    const divisor = 10 ** scale
    const whole = Math.trunc(magnitude / divisor)
    this.reserve(NUMBER_BYTES_MAX)
    const at = writeNumber(this.#view, this.#sign(units), whole)
    this.#view.setUint8(at, POINT)
    this.#length = writeDigits(this.#view, at + 1, magnitude - whole * divisor, scale)
  }

  /** ISO-8601 in UTC with milliseconds. */
  timestamp(timeMs: number): void {
    if (!(timeMs >= TIME_MIN_MS && timeMs < TIME_END_MS)) {
      this.ascii(formatTime(timeMs))
      return
    }
    this.reserve(TIME_TEXT_BYTES)
    const at = this.#times.write(this.#view, this.#length, Math.floor(timeMs))
    this.#view.setUint8(at, LETTER_Z)
    this.#length = at + 1
  }

  /** The text form, in lower case, of the 16 bytes of a UUID. */
  uuid(source: Uint8Array, start: number): void {
    this.reserve(UUID_BYTES)
    const view = this.#view
    let at = this.#length
    for (let index = 0; index < 16; index++) {
      if (index === 4 || index === 6 || index === 8 || index === 10) view.setUint8(at++, MINUS)
      at = writeHexByte(view, at, source[start + index])
    }
    this.#length = at
  }

  /** Returns the position behind it; there must be room. */
  #sign(value: number): number {
    if (value >= 0) return this.#length
    this.#view.setUint8(this.#length, MINUS)
    return this.#length + 1
  }
}

const MINUS = 0x2d
const POINT = 0x2e
const LETTER_Z = 0x5a
