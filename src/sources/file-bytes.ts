import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { pipeline, type Readable, type Transform } from 'node:stream'
import { finished } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { MillraceError, systemErrorCode } from '../base/error.ts'
import { fileError, readFully, withFile } from '../base/file-io.ts'
import { nodeFileSystem } from '../base/file-system.ts'

const CHUNK_BYTES = 1 << 18

/**
 * The bytes of a file, decompressed when its name ends in `.gz` or `.zst`, or when it begins as such files do. The file is closed when the iteration is over, however that
 * comes; an abort makes it throw. Throws `corrupt-data` when the compressed file is cut off or damaged, after most of what comes before that.
 */
export async function* fileBytes(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    const createCodec = await codecOf(path)
    if (createCodec) yield* decompressed(path, createCodec, signal)
    else yield* chunksOf(openFile(path, 0, signal))
  } catch (error) {
    throw readError(error, path)
  }
}

type CreateCodec = (options: { readonly chunkSize: number }) => Transform & { readonly bytesWritten: number }

const GZIP = [0x1f, 0x8b]
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd]

/** No text begins like a compressed file: neither beginning is UTF-8. */
async function codecOf(path: string): Promise<CreateCodec | undefined> {
  if (path.endsWith('.gz')) return createGunzip
  if (path.endsWith('.zst')) return createZstdDecompress
  const first = await withFile(path, nodeFileSystem, (file) => readFully(file, path, 0, ZSTD.length))
  const beginsWith = (magic: readonly number[]): boolean => magic.every((byte, index) => first[index] === byte)
  if (beginsWith(GZIP)) return createGunzip
  return beginsWith(ZSTD) ? createZstdDecompress : undefined
}

/**
 * A decoder stops at the end of what it takes for one compressed file, without a word about what follows. Tools that compress in
 * parallel write many such files into one, so the next decoder goes on where the last one stopped.
 */
async function* decompressed(path: string, createCodec: CreateCodec, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { size } = await stat(path)
  let position = 0
  do {
    const codec = createCodec({ chunkSize: CHUNK_BYTES })
    const file = openFile(path, position, signal)
    // Errors reach the reader of the codec; the callback is there to say that somebody cares for them.
    pipeline(file, codec, () => {})
    try {
      yield* chunksOf(codec)
    } finally {
      await closed(file)
    }
    position += codec.bytesWritten
  } while (position < size)
}

function openFile(path: string, start: number, signal: AbortSignal): Readable {
  return createReadStream(path, { start, highWaterMark: CHUNK_BYTES, signal })
}

async function* chunksOf(stream: Readable): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) yield chunk as Uint8Array
  } finally {
    await closed(stream)
  }
}

async function closed(stream: Readable): Promise<void> {
  stream.destroy()
  // Whoever reads the stream has met its error already.
  await finished(stream).catch(() => {})
}

function readError(error: unknown, path: string): unknown {
  const code = systemErrorCode(error)
  if (error instanceof Error && (code?.startsWith('Z_') || code?.startsWith('ZSTD_'))) {
    return new MillraceError('corrupt-data', `${path} cannot be decompressed to its end: ${error.message}`, {
      hint: 'the file is cut off or damaged: get it again',
      cause: error,
    })
  }
  return fileError(error, 'read', path)
}
