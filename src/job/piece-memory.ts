import type { EncodedRecords } from '../batch/encoded-records.ts'

const ROOM_BYTES_MIN = 1 << 20
/** Free memory that is kept. */
const FREE_BYTES_MAX = 64 << 20
/** Pieces begin at multiples of so many bytes. */
const ALIGNMENT = 8

/**
 * Memory in which records go to a data worker, used again and again: a copy into new memory costs several times as much, since the system
 * clears every page of it first.
 */
export class PieceMemory {
  readonly #free: SharedArrayBuffer[] = []
  #freeBytes = 0

  /** Copies records to where another thread can read them, except those that are there already. */
  copy(records: readonly EncodedRecords[]): { readonly copies: EncodedRecords[]; readonly memory?: SharedArrayBuffer } {
    const bytesNeeded = records.reduce((sum, { bytes }) => sum + (isShared(bytes) ? 0 : aligned(bytes.length)), 0)
    if (bytesNeeded === 0) return { copies: records.map((one) => sendable(one, one.bytes)) }
    const memory = this.#room(bytesNeeded)
    let at = 0
    const copies = records.map((one) => {
      if (isShared(one.bytes)) return sendable(one, one.bytes)
      const bytes = new Uint8Array(memory, at, one.bytes.length)
      bytes.set(one.bytes)
      at += aligned(bytes.length)
      return sendable(one, bytes)
    })
    return { copies, memory }
  }

  /** The other thread is done with the memory. */
  giveBack(memory: SharedArrayBuffer): void {
    if (this.#freeBytes + memory.byteLength > FREE_BYTES_MAX) return
    this.#freeBytes += memory.byteLength
    this.#free.push(memory)
  }

  #room(bytes: number): SharedArrayBuffer {
    const index = this.#free.findLastIndex(({ byteLength }) => byteLength >= bytes)
    const [memory] = index < 0 ? [] : this.#free.splice(index, 1)
    if (!memory) return new SharedArrayBuffer(Math.max(ROOM_BYTES_MIN, 2 ** Math.ceil(Math.log2(bytes))))
    this.#freeBytes -= memory.byteLength
    return memory
  }
}

/** How the bytes are given back does not concern the other thread, and functions cannot be sent. */
function sendable({ release: _release, ...records }: EncodedRecords, bytes: Uint8Array): EncodedRecords {
  return { ...records, bytes }
}

function isShared(bytes: Uint8Array): boolean {
  return bytes.buffer instanceof SharedArrayBuffer
}

function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT
}
