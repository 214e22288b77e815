import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { MillraceError } from '../base/error.ts'

/**
 * The records section of a batch as it was before compression; `codec` is the number in the batch's attributes. Throws `unsupported`
 * for codecs that we do not read, `corrupt-data` when the bytes are not what the codec makes or grow beyond all measure.
 * `what` names the bytes in errors.
 */
export function decompress(codec: number, bytes: Uint8Array, what: string): Uint8Array {
  switch (codec) {
    case 0:
      return bytes
    case 1:
      return inflated(() => gunzipSync(bytes, LIMITS), 'gzip', what)
    case 4:
      return inflated(() => zstdDecompressSync(bytes, LIMITS), 'zstd', what)
    default:
      throw new MillraceError(
        'unsupported',
        `${what} holds records compressed with ${CODEC_NAMES[codec] ?? `codec ${codec}`}`,
        {
          hint: 'write the topic without compression, or with gzip or zstd (compression.type)',
        },
      )
  }
}

const CODEC_NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** Large pieces halve the time zlib takes; the limit stops a few bytes that unpack into gigabytes. */
const LIMITS = { chunkSize: 512 * 1024, maxOutputLength: 128 * 1024 * 1024 }

function inflated(run: () => Uint8Array, codec: string, what: string): Uint8Array {
  try {
    return run()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new MillraceError('corrupt-data', `${what} holds records that ${codec} cannot decompress: ${reason}`, {
      hint: 'find out which producer wrote them, and start behind them',
      cause: error,
    })
  }
}
