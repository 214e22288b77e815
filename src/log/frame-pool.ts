import { assert } from '../base/assert.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'

/** Smaller answers are cheap to make room for; larger ones are rare. */
const SHARED_BYTES_MIN = 256 << 10
const SHARED_BYTES_MAX = 32 << 20
/** Free memory that is kept. */
const FREE_BYTES_MAX = 96 << 20
/** Frames are a little larger than what is asked for, so that the next one, which is about as large, fits in as well. */
const STEPS_PER_DOUBLING = 8

/**
 * Memory that what is read is received into, used again and again: new memory for each costs more than receiving, since the system clears every page of
 * it. Threads share it, so that data workers get views of what was received instead of copies. Whoever holds a piece of a frame retains
 * it; a frame is free when nobody does. What is never released is lost to the pool, not leaked: the garbage collector takes it.
 */
export class FramePool {
  readonly #free: Buffer[] = []
  #freeBytes = 0
  /** Holders by the memory that their pieces are of. */
  readonly #holders = new WeakMap<ArrayBufferLike, number>()

  /** Room for so many bytes, held once. */
  take(sizeBytes: number): Buffer {
    if (sizeBytes < SHARED_BYTES_MIN || sizeBytes > SHARED_BYTES_MAX) return Buffer.allocUnsafeSlow(sizeBytes)
    const frame = this.#takeFree(sizeBytes) ?? Buffer.from(new SharedArrayBuffer(roomBytes(sizeBytes)))
    this.#holders.set(frame.buffer, 1)
    return frame
  }

  /** One more holds a piece. */
  retain({ buffer }: Uint8Array): void {
    const holders = this.#holders.get(buffer)
    if (holders !== undefined) this.#holders.set(buffer, holders + 1)
  }

  /** The same records, which hold the frame that they are a view of until they are released. */
  hold(records: EncodedRecords): EncodedRecords {
    this.retain(records.bytes)
    return this.owned(records)
  }

  /** The same records, for which a frame was taken: it is released with them. */
  owned(records: EncodedRecords): EncodedRecords {
    if (!this.#holders.has(records.bytes.buffer)) return records
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
    if (holders > 1) return
    this.#free.push(Buffer.from(buffer as SharedArrayBuffer))
    this.#freeBytes += buffer.byteLength
    // Those that have been of no use for longest go first.
    while (this.#freeBytes > FREE_BYTES_MAX) this.#freeBytes -= this.#free.shift()?.length ?? 0
  }

  /** The smallest that is large enough, and not much too large. */
  #takeFree(sizeBytes: number): Buffer | undefined {
    let best = -1
    for (const [index, { length }] of this.#free.entries()) {
      if (length < sizeBytes || length > 2 * sizeBytes) continue
      if (best < 0 || length < (this.#free[best] as Buffer).length) best = index
    }
    if (best < 0) return undefined
    const [frame] = this.#free.splice(best, 1)
    this.#freeBytes -= frame.length
    return frame
  }
}

function roomBytes(sizeBytes: number): number {
  const step = 2 ** Math.floor(Math.log2(sizeBytes)) / STEPS_PER_DOUBLING
  return Math.ceil(sizeBytes / step) * step
}
