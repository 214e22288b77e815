import { assert } from '../base/assert.ts'
import { copyShort, type Dictionary } from './dictionary.ts'
import type { DecoderInstance } from './wasm-module.ts'

const BLOCK_BITS = 20
const BLOCK_BYTES = 1 << BLOCK_BITS
const CHUNK_BYTES_FIRST = 1 << 12
const ENTRY_BITS = 3

/**
 * One generation of a dictionary that the decoder keeps in WebAssembly memory: the same values and codes, copied so that they
 * outlive that memory. Both sides only ever append, in blocks of 1 MB, so `update` copies what is new and nothing else.
 *
 *     entries   | place i32 | length i32 | ...       8 bytes a code; place = number of the block of values << 20 | offset
 *     values    one behind the other
 */
export class MirroredDictionary implements Dictionary {
  readonly #address: number
  readonly #memory: Uint8Array
  readonly #exports: DecoderInstance['exports']
  readonly #entries = new BlockCopies()
  readonly #values = new BlockCopies()
  readonly #texts: (string | undefined)[] = []
  #size = 0

  /** `address` is that of the dictionary in `instance`, which begins a new generation at this time. */
  constructor({ buffer, exports }: DecoderInstance, address: number) {
    this.#memory = new Uint8Array(buffer)
    this.#exports = exports
    this.#address = address
  }

  get size(): number {
    return this.#size
  }

  /** Copies the values that are new. Not to be called any more when the next generation has begun. */
  update(): void {
    const size = this.#exports.dictionarySize(this.#address)
    if (size === this.#size) return
    const entryBlock = (index: number): number => this.#exports.entryBlock(this.#address, index) >>> 0
    const arenaBlock = (index: number): number => this.#exports.arenaBlock(this.#address, index) >>> 0
    this.#entries.copyUpTo(size << ENTRY_BITS, this.#memory, entryBlock)
    this.#size = size
    this.#values.copyUpTo(this.#place(size - 1) + this.#length(size - 1), this.#memory, arenaBlock)
  }

  bytes(code: number): Uint8Array {
    assert(code >= 0 && code < this.#size, `code ${code} is not in a dictionary of ${this.#size}`)
    return this.#values.bytes(this.#place(code), this.#length(code))
  }

  copyTo(code: number, into: Uint8Array, at: number): number {
    assert(code >= 0 && code < this.#size, `code ${code} is not in a dictionary of ${this.#size}`)
    return this.#values.copyTo(this.#place(code), this.#length(code), into, at)
  }

  text(code: number): string {
    const known = this.#texts[code]
    if (known !== undefined) return known
    const text = textDecoder.decode(this.bytes(code))
    while (this.#texts.length < this.#size) this.#texts.push(undefined)
    this.#texts[code] = text
    return text
  }

  #place(code: number): number {
    return this.#entries.int32(code << ENTRY_BITS)
  }

  #length(code: number): number {
    return this.#entries.int32((code << ENTRY_BITS) + 4)
  }
}

const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Copies of blocks of 1 MB that are filled one after the other. The last copy is as large as it has to be, up to twice. */
class BlockCopies {
  readonly #chunks: DataView<ArrayBuffer>[] = []
  readonly #bytes: Uint8Array[] = []
  /** Position behind what has been copied; a block begins at each multiple of 1 MB. */
  #end = 0

  /** Copies up to a position; what was copied before stays. A block that is not the last is copied to its end. */
  copyUpTo(end: number, memory: Uint8Array, blockAddress: (index: number) => number): void {
    while (this.#end < end) {
      const index = this.#end >>> BLOCK_BITS
      const from = this.#end & (BLOCK_BYTES - 1)
      const to = Math.min(end - index * BLOCK_BYTES, BLOCK_BYTES)
      const address = blockAddress(index)
      this.#chunk(index, to).set(memory.subarray(address + from, address + to), from)
      this.#end = index * BLOCK_BYTES + to
    }
  }

  bytes(position: number, length: number): Uint8Array {
    if (length === 0) return new Uint8Array(0)
    const chunk = this.#chunks[position >>> BLOCK_BITS]
    return new Uint8Array(chunk.buffer, position & (BLOCK_BYTES - 1), length)
  }

  copyTo(position: number, length: number, into: Uint8Array, at: number): number {
    if (length === 0) return 0
    const chunk = this.#bytes[position >>> BLOCK_BITS]
    return copyShort(chunk, position & (BLOCK_BYTES - 1), length, into, at)
  }

  int32(position: number): number {
    return this.#chunks[position >>> BLOCK_BITS].getInt32(position & (BLOCK_BYTES - 1), true)
  }

  #chunk(index: number, bytesMin: number): Uint8Array {
    const known = this.#chunks[index]
    if (known !== undefined && known.byteLength >= bytesMin) return new Uint8Array(known.buffer)
    const first = index === 0 ? CHUNK_BYTES_FIRST : BLOCK_BYTES
    const chunk = new Uint8Array(Math.min(BLOCK_BYTES, Math.max(first, 2 * bytesMin)))
    if (known !== undefined) chunk.set(new Uint8Array(known.buffer))
    this.#chunks[index] = new DataView(chunk.buffer)
    this.#bytes[index] = chunk
    return chunk
  }
}
