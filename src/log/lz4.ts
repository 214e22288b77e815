import { existsSync, readFileSync } from 'node:fs'
import { wasmFiles } from '../base/wasm-file.ts'

/** Gives the memory for so many unpacked bytes. */
export type Allocate = (sizeBytes: number) => Uint8Array

/**
 * Unpacks an LZ4 frame into memory that the caller gives. Throws an error when it is damaged or unpacks to more than `bytesMax`; undefined
 * when the WebAssembly that does it is not built or does not run here.
 */
export function unpackLz4(bytes: Uint8Array, bytesMax: number, allocate: Allocate): Uint8Array | undefined {
  unpacker ??= Lz4Unpacker.load() ?? 'none'
  return unpacker === 'none' ? undefined : unpacker.unpack(bytes, bytesMax, allocate)
}

let unpacker: Lz4Unpacker | 'none' | undefined

const PAGE_BYTES = 1 << 16
const PAGES_MAX = 1 << 13
/** Behind input and output, since bytes are copied many at a time. */
const SLACK_BYTES = 64
/** Nothing of the module's own is beyond. */
const INPUT_AT = 1 << 10
/** Events are packed to a quarter or a third; who guesses too low unpacks twice. */
const RATIO = 8
const OUTPUT_BYTES_MIN = 1 << 20
const NO_ROOM = -2

/** The module with its memory, which grows to what the largest batch needs. */
class Lz4Unpacker {
  readonly #memory: Memory
  readonly #exports: Lz4Exports
  #view: Uint8Array

  private constructor(memory: Memory, exports: Lz4Exports) {
    this.#memory = memory
    this.#exports = exports
    this.#view = new Uint8Array(memory.buffer)
  }

  static load(): Lz4Unpacker | undefined {
    const file = wasmFiles('lz4.wasm').find((url) => existsSync(url))
    if (file === undefined) return undefined
    try {
      const memory = new WebAssembly.Memory({ initial: 1, maximum: PAGES_MAX })
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), { env: { memory } })
      return new Lz4Unpacker(memory, exports as Lz4Exports)
    } catch {
      return undefined
    }
  }

  unpack(bytes: Uint8Array, bytesMax: number, allocate: Allocate): Uint8Array {
    for (let room = Math.max(OUTPUT_BYTES_MIN, RATIO * bytes.length); ; room *= 4) {
      const allowed = Math.min(room, bytesMax)
      // At a multiple of eight, since shared memory is copied to by words.
      const outputAt = Math.ceil((INPUT_AT + bytes.length + SLACK_BYTES) / SLACK_BYTES) * SLACK_BYTES
      this.#reserve(outputAt + allowed + SLACK_BYTES)
      this.#view.set(bytes, INPUT_AT)
      const size = this.#exports.unpackLz4(INPUT_AT, bytes.length, outputAt, allowed)
      if (size >= 0) {
        const unpacked = allocate(size).subarray(0, size)
        unpacked.set(this.#view.subarray(outputAt, outputAt + size))
        return unpacked
      }
      if (size !== NO_ROOM) throw new Error('it is no LZ4 frame, or damaged')
      if (allowed === bytesMax) throw new Error(`it unpacks to more than ${bytesMax} bytes`)
    }
  }

  #reserve(bytes: number): void {
    const missing = Math.ceil((bytes - this.#view.length) / PAGE_BYTES)
    if (missing <= 0) return
    this.#memory.grow(missing)
    this.#view = new Uint8Array(this.#memory.buffer)
  }
}

interface Lz4Exports {
  unpackLz4(input: number, length: number, output: number, room: number): number
}

interface Memory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** The standard library of the language has no types for it. */
declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number; maximum: number }) => Memory
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: object }
}
