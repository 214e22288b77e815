import { createReadStream } from 'node:fs'
import { glob, open, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { crc32c } from '../base/crc32c.ts'
import { MillraceError, systemErrorCode } from '../base/error.ts'
import type { FileSourceSpec } from '../plan/connectors.ts'
import type { SourceContext } from './index.ts'
import { lineBatches } from './line-batches.ts'
import type { Source, SourceOffsets, SourcePartition } from './source.ts'

const FINGERPRINT_BYTES = 64 * 1024
const STDIN = '-'

/**
 * NDJSON files: each is a partition, its real path the id, the index of a line the offset. `.gz` and `.zst` are decompressed; `-` is
 * standard input, which cannot be read twice.
 */
export async function fileSource(spec: FileSourceSpec, context: SourceContext): Promise<Source> {
  const files = await findFiles(spec.paths, context.workingFolder)
  return {
    identity: files.length === 1 && files[0] === STDIN ? 'stdin' : 'files',
    bounded: true,
    async partitions(): Promise<SourcePartition[]> {
      return Promise.all(
        files.map(async (path) => ({ id: path, startOffset: 0, fingerprint: await fingerprint(path) })),
      )
    },
    async *read(path, fromOffset, toOffset, signal) {
      const bytes = path === STDIN ? (context.stdin as Readable) : createReadStream(path, { highWaterMark: 1 << 18 })
      const stop = (): void => void bytes.destroy()
      signal.addEventListener('abort', stop, { once: true })
      try {
        for await (const records of lineBatches(decompressed(path, bytes))) {
          if (signal.aborted || records.baseOffset >= toOffset) return
          if (records.endOffset > fromOffset) yield records
        }
      } catch (error) {
        if (!signal.aborted) throw readError(error, path)
      } finally {
        signal.removeEventListener('abort', stop)
        stop()
      }
    },
    async offsets() {
      return new Map(files.map((path): [string, SourceOffsets] => [path, { start: 0, end: undefined }]))
    },
    close: () => Promise.resolve(),
  }
}

/** The files that paths and patterns mean, sorted; names everything that is not there in one error. */
async function findFiles(paths: readonly string[], workingFolder: string): Promise<string[]> {
  const files = new Set<string>()
  const problems: string[] = []
  for (const path of paths) {
    if (path === STDIN) {
      files.add(STDIN)
      continue
    }
    const found = /[*?[\]{}]/.test(path) ? await matches(path, workingFolder) : [path]
    if (found.length === 0) problems.push(`no file matches "${path}"`)
    for (const one of found) {
      const problem = await addFile(isAbsolute(one) ? one : join(workingFolder, one), files)
      if (problem) problems.push(problem)
    }
  }
  if (problems.length > 0) {
    throw new MillraceError('invalid-option', problems.join('; '), {
      hint: 'check the path, and the folder that you are in',
    })
  }
  return [...files].sort()
}

async function matches(pattern: string, workingFolder: string): Promise<string[]> {
  const found: string[] = []
  for await (const path of glob(pattern, { cwd: workingFolder })) found.push(path)
  return found
}

async function addFile(path: string, files: Set<string>): Promise<string | undefined> {
  try {
    const real = await realpath(path)
    if ((await stat(real)).isDirectory())
      return `"${path}" is a folder (name its files, such as "${join(path, '*.ndjson')}")`
    await (await open(real, 'r')).close()
    files.add(real)
    return undefined
  } catch (error) {
    const code = systemErrorCode(error)
    if (code === 'ENOENT') return `there is no file "${path}"`
    return `"${path}" cannot be read (${code ?? String(error)})`
  }
}

/** Size and checksum of the beginning: a file that was replaced has other offsets. */
async function fingerprint(path: string): Promise<string> {
  if (path === STDIN) return ''
  const file = await open(path, 'r')
  try {
    const bytes = new Uint8Array(FINGERPRINT_BYTES)
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
    return `${(await file.stat()).size}-${crc32c(bytes.subarray(0, bytesRead)).toString(16)}`
  } finally {
    await file.close()
  }
}

function decompressed(path: string, bytes: Readable): AsyncIterable<Uint8Array> {
  const codec = path.endsWith('.gz') ? createGunzip() : path.endsWith('.zst') ? createZstdDecompress() : undefined
  if (!codec) return bytes
  bytes.on('error', (error) => codec.destroy(error))
  return bytes.pipe(codec)
}

function readError(error: unknown, path: string): unknown {
  if (error instanceof MillraceError) return error
  const code = systemErrorCode(error)
  const message = error instanceof Error ? error.message : String(error)
  if (code?.startsWith('Z_') || code?.startsWith('ZSTD') || code === 'ERR_ZSTD') {
    return new MillraceError('corrupt-data', `${path} cannot be decompressed: ${message}`, {
      hint: 'the file is cut off or damaged: get it again; nothing of this run counts',
      cause: error,
    })
  }
  return new MillraceError('unavailable', `${path} cannot be read: ${message}`, {
    hint: 'check the file and the disk',
    cause: error,
  })
}
