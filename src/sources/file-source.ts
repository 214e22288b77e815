import { addAbortSignal, type Readable } from 'node:stream'
import { MillraceError } from '../base/error.ts'
import { fileError } from '../base/file-io.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { FileSourceSpec } from '../plan/connectors.ts'
import { fileBytes } from './file-bytes.ts'
import type { SourceContext } from './index.ts'
import { fileFingerprint, findInputFiles } from './input-files.ts'
import { lineBatches } from './line-batches.ts'
import type { Source, SourceOffsets, SourcePartition } from './source.ts'
import { textBytes } from './text-bytes.ts'

/** Both the path that stands for standard input, and the partition that it becomes. */
const STDIN_PATH = '-'
const STDIN = 'stdin'

/**
 * NDJSON files, plain or compressed by gzip or zstd: each is a partition, its real path the id, the index of a line the offset. `-` is
 * standard input, which can be read only once. To go on in the middle of a file, it is read again from its beginning.
 */
export async function fileSource(spec: FileSourceSpec, context: SourceContext): Promise<Source> {
  const ids = await findInputFiles(
    spec.paths.filter((path) => path !== STDIN_PATH),
    context.workingFolder,
  )
  if (spec.paths.includes(STDIN_PATH)) ids.push(STDIN)
  return new FileSource(ids, context.stdin as Readable)
}

class FileSource implements Source {
  readonly identity: string
  readonly bounded = true
  readonly #ids: readonly string[]
  readonly #stdin: Readable
  /** Lines of the partitions that have been read to their end. */
  readonly #lineCounts = new Map<string, number>()
  #stdinTaken = false

  constructor(ids: readonly string[], stdin: Readable) {
    this.identity = ids.includes(STDIN) ? 'stdin' : 'files'
    this.#ids = ids
    this.#stdin = stdin
  }

  async partitions(): Promise<SourcePartition[]> {
    return Promise.all(
      this.#ids.map(async (id) => ({
        id,
        startOffset: 0,
        fingerprint: id === STDIN ? '' : await fileFingerprint(id),
      })),
    )
  }

  async *read(id: string, fromOffset: number, toOffset: number, signal: AbortSignal): AsyncGenerator<EncodedRecords> {
    let position = 0
    try {
      for await (const lines of lineBatches(textBytes(this.#bytes(id, signal), id))) {
        if (signal.aborted) return
        position = lines.endOffset
        if (position > fromOffset) yield lines
        if (position >= toOffset) return
      }
    } catch (error) {
      if (signal.aborted) return
      throw error
    }
    if (signal.aborted) return
    this.#lineCounts.set(id, position)
    const wanted = Number.isFinite(toOffset) ? toOffset : fromOffset
    if (position < wanted) throw linesGone(id, position, wanted)
  }

  async offsets(): Promise<ReadonlyMap<string, SourceOffsets>> {
    return new Map(this.#ids.map((id) => [id, { start: 0, end: this.#lineCounts.get(id) }]))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #bytes(id: string, signal: AbortSignal): AsyncIterable<Uint8Array> {
    if (id !== STDIN) return fileBytes(id, signal)
    if (this.#stdinTaken) {
      throw new MillraceError('unsupported', 'standard input cannot be read a second time', {
        hint: 'write it to a file, or to a topic with `millrace produce - --topic T`, and read that',
      })
    }
    this.#stdinTaken = true
    return stdinBytes(this.#stdin, signal)
  }
}

async function* stdinBytes(stdin: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    yield* addAbortSignal(signal, stdin)
  } catch (error) {
    throw fileError(error, 'read', 'standard input')
  }
}

function linesGone(path: string, found: number, wanted: number): MillraceError {
  return new MillraceError('data-loss', `${path} has ${found} lines now, ${wanted} of it have been read before`, {
    hint: 'restore the original file, or start over with another --checkpoint folder and another --output',
  })
}
