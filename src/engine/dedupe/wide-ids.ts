import { ByteWriter } from '../../base/bytes.ts'
import { hashHigh, hashLow, xxhash64 } from '../../base/xxhash64.ts'
import type { Batch } from '../../batch/batch.ts'
import type { Column, StringColumn, UuidColumn } from '../../batch/column.ts'
import { UUID_LENGTH } from '../../batch/uuid-text.ts'
import { encodeKeyPart } from '../keys/key-codec.ts'
import type { HashKey } from '../keys/key-table.ts'

/** Words of 32 bits that stand for an id. */
export const ID_WORDS = 4

/**
 * The values of an id column as 128 bits each. A UUID, also as text in its usual form, is its own bits; anything else is hashed twice with
 * XXH64 under two seeds of the checkpoint, so that nobody outside can make two collide.
 */
export class WideIds {
  /** `ID_WORDS` an id, of the ids that were asked for last. */
  words: Int32Array<ArrayBuffer> = new Int32Array(0)
  /** 1 where an id is null. */
  nulls: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  readonly #columnIndex: number
  readonly #seeds: readonly [number, number]
  readonly #writer = new ByteWriter(128)

  constructor(columnIndex: number, hashKey: HashKey) {
    this.#columnIndex = columnIndex
    this.#seeds = [hashKey[0] & 0x7fffffff, hashKey[1] & 0x7fffffff]
  }

  /** Reads the ids of `rows[0 .. count)`. */
  read(batch: Batch, rows: Int32Array, count: number): void {
    if (this.nulls.length < count) {
      this.words = new Int32Array(count * 2 * ID_WORDS)
      this.nulls = new Uint8Array(count * 2)
    }
    this.nulls.fill(0, 0, count)
    const column = batch.columns[this.#columnIndex] as Column
    if (column.kind === 'uuid') readUuids(column, rows, count, this.words, this.nulls)
    else if (column.kind === 'string') this.#readTexts(column, rows, count)
    else for (let index = 0; index < count; index++) this.#hash(column, rows[index] as number, index)
  }

  #readTexts(column: StringColumn, rows: Int32Array, count: number): void {
    const { data, starts, lengths } = column
    const { words } = this
    for (let index = 0; index < count; index++) {
      const row = rows[index] as number
      const isUuid = lengths[row] === UUID_LENGTH && parseCanonical(data, starts[row] as number, words, index)
      if (!isUuid) this.#hash(column, row, index)
    }
  }

  #hash(column: Column, row: number, index: number): void {
    const writer = this.#writer
    writer.clear()
    encodeKeyPart(writer, column, row)
    if (writer.length === 1) {
      this.nulls[index] = 1
      return
    }
    const bytes = writer.view()
    const at = index * ID_WORDS
    for (const [half, seed] of this.#seeds.entries()) {
      xxhash64(bytes, 0, bytes.length, seed)
      this.words[at + half * 2] = hashHigh
      this.words[at + half * 2 + 1] = hashLow
    }
  }
}

function readUuids(
  { bytes, validity }: UuidColumn,
  rows: Int32Array,
  count: number,
  words: Int32Array,
  nulls: Uint8Array,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let index = 0; index < count; index++) {
    const row = rows[index] as number
    if (validity[row] === 0) nulls[index] = 1
    for (let word = 0; word < ID_WORDS; word++) words[index * ID_WORDS + word] = view.getInt32(row * 16 + word * 4)
  }
}

/** The value of a digit as UUIDs are written; more than four bits for anything else, capital letters among them. */
const LOWER_HEX = new Int32Array(256).fill(1 << 30)
for (let digit = 0; digit < 16; digit++) LOWER_HEX[digit.toString(16).charCodeAt(0)] = digit

const DASH = 0x2d

/** Puts the bits of `123e4567-e89b-12d3-a456-426614174000` in their place; false when the 36 bytes are no UUID in just this form. */
function parseCanonical(text: Uint8Array, at: number, words: Int32Array, index: number): boolean {
  const dashes = (text[at + 8] ^ DASH) | (text[at + 13] ^ DASH) | (text[at + 18] ^ DASH) | (text[at + 23] ^ DASH)
  if (dashes !== 0) return false
  const high0 = fourDigits(text, at)
  const low0 = fourDigits(text, at + 4)
  const high1 = fourDigits(text, at + 9)
  const low1 = fourDigits(text, at + 14)
  const high2 = fourDigits(text, at + 19)
  const low2 = fourDigits(text, at + 24)
  const high3 = fourDigits(text, at + 28)
  const low3 = fourDigits(text, at + 32)
  if ((high0 | low0 | high1 | low1 | high2 | low2 | high3 | low3) >>> 16 !== 0) return false
  const to = index * ID_WORDS
  words[to] = (high0 << 16) | low0
  words[to + 1] = (high1 << 16) | low1
  words[to + 2] = (high2 << 16) | low2
  words[to + 3] = (high3 << 16) | low3
  return true
}

/** Beyond 16 bits when one of the four is no digit. */
function fourDigits(text: Uint8Array, at: number): number {
  const a = LOWER_HEX[text[at]]
  const b = LOWER_HEX[text[at + 1]]
  const c = LOWER_HEX[text[at + 2]]
  const d = LOWER_HEX[text[at + 3]]
  return ((a | b | c | d) & (1 << 30)) | (a << 12) | (b << 8) | (c << 4) | d
}
