import { appendFile, mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '../../base/error.ts'
import type { EncodedRecords } from '../../batch/encoded-records.ts'
import type { Source } from '../../sources/source.ts'

/** A piece of recorded input: what one micro-batch of Spark reads, and one epoch here. */
export interface InputCut {
  readonly path: string
  readonly lines: number
}

const LINE_FEED = 10

/**
 * Writes the lines of files as files that Spark takes up one by one, in this order: a cut has the same part of each of the source's
 * partitions, so that time goes on evenly in all of them. Spark orders files by the time of their last change.
 */
export async function writeCuts(source: Source, folder: string, cutCount: number): Promise<InputCut[]> {
  await mkdir(folder, { recursive: true })
  const paths = Array.from({ length: cutCount }, (_, index) => join(folder, `${String(index).padStart(5, '0')}.ndjson`))
  const lines = new Array<number>(cutCount).fill(0)
  for (const path of paths) await writeFile(path, '')
  for (const { id } of await source.partitions()) {
    const total = await lineCount(source, id)
    for await (const records of everything(source, id)) {
      for (const piece of pieces(records, total, cutCount)) {
        await appendFile(paths[piece.cut] as string, piece.bytes)
        lines[piece.cut] = (lines[piece.cut] as number) + piece.lines
      }
    }
  }
  for (const [index, path] of paths.entries()) await utimes(path, index + 1, index + 1)
  const cuts = paths.map((path, index) => ({ path, lines: lines[index] as number })).filter((cut) => cut.lines > 0)
  if (cuts.length > 0) return cuts
  throw new MillraceError('invalid-option', 'the input has no events', { hint: 'name files that have some' })
}

function everything(source: Source, id: string): AsyncIterable<EncodedRecords> {
  return source.read(id, 0, Number.POSITIVE_INFINITY, new AbortController().signal)
}

async function lineCount(source: Source, id: string): Promise<number> {
  let count = 0
  for await (const records of everything(source, id)) count += records.recordCount
  return count
}

interface Piece {
  readonly cut: number
  readonly bytes: Uint8Array
  readonly lines: number
}

/** Whole lines by the cut that they belong to. */
function* pieces(
  { bytes, baseOffset, recordCount }: EncodedRecords,
  total: number,
  cutCount: number,
): Generator<Piece> {
  let start = 0
  for (let line = 0; line < recordCount; ) {
    const cut = Math.floor(((baseOffset + line) * cutCount) / total)
    const lineEnd = Math.min(recordCount, Math.ceil(((cut + 1) * total) / cutCount) - baseOffset)
    let end = start
    for (let index = line; index < lineEnd; index++) end = bytes.indexOf(LINE_FEED, end) + 1
    yield { cut, bytes: bytes.subarray(start, end), lines: lineEnd - line }
    start = end
    line = lineEnd
  }
}
