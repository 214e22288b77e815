import { assert } from '../base/assert.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'

/** Smaller answers are cheap to make room for; larger ones are rare. */
const SHARED_BYTES_MIN = 256 << 10
const SHARED_BYTES_MAX = 32 << 20
/** Free memory that is kept. */
const FREE_BYTES_MAX = 96 << 20

/**
 * Memory that what is read is received into, used again and again: new memory for each costs more than receiving, since the system clears every page of
 * it. Whoever holds a piece of a frame retains it; a frame is free when nobody does. What is never released is lost to the pool, not
 * leaked: the garbage collector takes it.
 */
export class FramePool {
  readonly #free = new Map<number, Buffer[]>()
  #freeBytes = 0
  /** Holders by the memory that their pieces are of. */
  readonly #holders = new WeakMap<ArrayBufferLike, number>()

  /** Room for so many bytes, held once. */
  take(sizeBytes: number): Buffer {
    if (sizeBytes < SHARED_BYTES_MIN || sizeBytes > SHARED_BYTES_MAX) return Buffer.allocUnsafeSlow(sizeBytes)
    const roomBytes = 2 ** Math.ceil(Math.log2(sizeBytes))
    const frame = this.#free.get(roomBytes)?.pop()
    if (frame) this.#freeBytes -= roomBytes
    const taken = frame ?? Buffer.allocUnsafeSlow(roomBytes)
    this.#holders.set(taken.buffer, 1)
    return taken
  }

  /** One more holds a piece. */
  retain({ buffer }: Uint8Array): void {
    const holders = this.#holders.get(buffer)
    if (holders !== undefined) this.#holders.set(buffer, holders + 1)
  }

  /** The same records, which hold the frame that they are a view of until they are released. */
  hold(records: EncodedRecords): EncodedRecords {
    if (!this.#holders.has(records.bytes.buffer)) return records
    this.retain(records.bytes)
    let held = true
    const release = (): void => {
      if (held) this.release(records.bytes)
      held = false
    }
    return { ...records, release }
  }

  /** One fewer does: it must not look at the bytes any more. */
  release({ buffer }: Uint8Array): void {
    const holders = this.#holders.get(buffer)
    if (holders === undefined) return
    assert(holders > 0, 'a frame is released as often as it was held')
    this.#holders.set(buffer, holders - 1)
    if (holders > 1 || this.#freeBytes + buffer.byteLength > FREE_BYTES_MAX) return
    this.#freeBytes += buffer.byteLength
    const frames = this.#free.get(buffer.byteLength) ?? []
    frames.push(Buffer.from(buffer as ArrayBuffer))
    this.#free.set(buffer.byteLength, frames)
  }
}
