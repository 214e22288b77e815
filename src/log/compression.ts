import { createRequire } from 'node:module'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { MillraceError } from '../base/error.ts'
import { type Allocate, unpackLz4 } from './lz4.ts'

/**
 * The records section of a batch as it was before compression; `codec` is the number in the batch's attributes. Throws `unsupported`
 * for codecs that do not exist, `corrupt-data` when the bytes are not what the codec makes or grow beyond all measure.
 * `what` names the bytes in errors. The most frequent codec of events, lz4, unpacks into memory that `allocate` gives.
 */
export function decompress(codec: number, bytes: Uint8Array, what: string, allocate: Allocate = newBytes): Uint8Array {
  switch (codec) {
    case 0:
      return bytes
    case 1:
      return unpacked(() => gunzipSync(bytes, LIMITS), 'gzip', what)
    case 2:
      return unpacked(() => unpackSnappy(bytes), 'snappy', what)
    case 3:
      return unpacked(
        () => unpackLz4(bytes, UNPACKED_BYTES_MAX, allocate) ?? native().lz4Decompress(bufferOf(bytes)),
        'lz4',
        what,
      )
    case 4:
      return unpacked(() => zstdDecompressSync(bytes, LIMITS), 'zstd', what)
    default:
      throw new MillraceError('unsupported', `${what} holds records compressed with codec ${codec}`, {
        hint: 'write the topic without compression, or with gzip, snappy, lz4 or zstd (compression.type)',
      })
  }
}

/** The limit stops a few bytes that unpack into gigabytes. */
const UNPACKED_BYTES_MAX = 128 * 1024 * 1024

/** Large pieces halve the time zlib takes. */
const LIMITS = { chunkSize: 512 * 1024, maxOutputLength: UNPACKED_BYTES_MAX }

function unpacked(run: () => Uint8Array, codec: string, what: string): Uint8Array {
  try {
    const records = run()
    if (records.length > UNPACKED_BYTES_MAX) throw new Error(`it unpacks to ${records.length} bytes`)
    return records
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new MillraceError('corrupt-data', `${what} holds records that ${codec} cannot decompress: ${reason}`, {
      hint: 'find out which producer wrote them, and start behind them',
      cause: error,
    })
  }
}

/** Java's producer cuts into chunks with a length each behind a header of its own; librdkafka does not. */
function unpackSnappy(bytes: Uint8Array): Uint8Array {
  if (!CHUNKED_MAGIC.every((byte, index) => bytes[index] === byte)) return unpackChunk(bytes, UNPACKED_BYTES_MAX)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const chunks: Uint8Array[] = []
  let left = UNPACKED_BYTES_MAX
  for (let at = CHUNKED_HEADER_BYTES; at < bytes.length; ) {
    const end = at + 4 + view.getUint32(at)
    if (end > bytes.length) throw new Error('a chunk is cut off')
    const chunk = unpackChunk(bytes.subarray(at + 4, end), left)
    chunks.push(chunk)
    left -= chunk.length
    at = end
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
}

/** `\x82SNAPPY\0`; two version numbers follow. */
const CHUNKED_MAGIC = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]
const CHUNKED_HEADER_BYTES = 16

/** A chunk begins with its unpacked size, as a varint. */
function unpackChunk(bytes: Uint8Array, bytesMax: number): Uint8Array {
  let size = 0
  for (let index = 0; index < 5; index++) {
    size += (bytes[index] & 0x7f) * 128 ** index
    if (bytes[index] < 0x80) break
  }
  if (!(size <= bytesMax)) throw new Error(`it unpacks to ${size} bytes`)
  return native().snappyDecompress(bufferOf(bytes))
}

interface NativeCodecs {
  lz4Decompress(bytes: Buffer): Buffer
  snappyDecompress(bytes: Buffer): Buffer
}

let codecs: NativeCodecs | undefined

/** WebAssembly, loaded when the first such batch comes. */
function native(): NativeCodecs {
  codecs ??= createRequire(import.meta.url)('@platformatic/wasm-utils') as NativeCodecs
  return codecs
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function newBytes(sizeBytes: number): Uint8Array {
  return Buffer.allocUnsafeSlow(sizeBytes)
}
