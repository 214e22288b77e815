import { isDeepStrictEqual } from 'node:util'
import { type AppendFile, isTemporaryName, openAppendFile, removeFile } from '../base/durable-file.ts'
import { MillraceError } from '../base/error.ts'
import { attempt, readFully, withFile } from '../base/file-io.ts'
import type { FileSystem } from '../base/file-system.ts'
import { listSegments } from './partition-reader.ts'
import { type PublishedEnd, readPublishedEnd, replacePublishedEnd } from './published-end.ts'
import { BATCH_HEADER_BYTES, decodeBatchHeader, type RecordBatchHeader, walkBatches } from './record-batch.ts'
import type { SegmentFacts } from './retention.ts'
import { segmentName } from './segment.ts'

/** A partition as its new writer finds it. */
export interface RecoveredPartition {
  /** In order, never empty; the last one is appended to. */
  readonly segments: readonly SegmentFacts[]
  readonly published: PublishedEnd
  /** What had to be cut off, in words. */
  readonly notice: string | undefined
}

/**
 * Makes a partition fit for appending: finds its true end, which may lie behind the published one when the last writer died, cuts off what it
 * left unfinished, and makes all of it durable before publishing it.
 *
 * Closed segments and everything up to the published end were durable: damage there is never cut away. What lies behind was never
 * acknowledged; there a power cut may have kept some sectors and lost others, so the first bad batch ends the partition.
 */
export async function recoverPartition(
  folder: string,
  what: string,
  fileSystem: FileSystem,
): Promise<RecoveredPartition> {
  await removeLeftovers(folder, fileSystem)
  const before = await readPublishedEnd(folder, fileSystem)
  const bases = await listSegments(folder, fileSystem)
  const newest = bases.at(-1) ?? 0
  checkAgainst(before, newest, folder)
  const file = await openAppendFile(`${folder}/${segmentName(newest)}`, fileSystem)
  try {
    const end = await findEnd(file, newest, before)
    const published = {
      startOffset: bases[0] ?? 0,
      endOffset: end.offset,
      segmentBase: newest,
      segmentBytes: end.position,
      synced: true,
    }
    const notice = describeCut(what, file.length - end.position, before, end.offset)
    if (!isDeepStrictEqual(before, published) || file.length > end.position) {
      await file.truncate(end.position)
      await replacePublishedEnd(folder, published, fileSystem)
    }
    return { segments: await factsOf(folder, [...bases.slice(0, -1), newest], fileSystem), published, notice }
  } finally {
    await file.close()
  }
}

/** The true end, as batches tell it from the published one on, or from the start of the segment where that is of no help. */
async function findEnd(file: AppendFile, baseOffset: number, before: PublishedEnd | undefined): Promise<ScanEnd> {
  const known = before?.synced && before.segmentBase === baseOffset
  const start = known
    ? { position: before.segmentBytes, offset: before.endOffset }
    : { position: 0, offset: baseOffset }
  if (file.length < start.position) throw shortened(file, start.position)
  const end = await scan(file, start)
  if (!before) await checkNothingValidBehind(file, end)
  return end
}

interface ScanEnd {
  readonly position: number
  readonly offset: number
}

/** Goes over valid batches from a position on, each beginning where the one before ended. */
async function scan(file: AppendFile, from: ScanEnd): Promise<ScanEnd> {
  let end = from
  let windowBytes = WINDOW_BYTES
  for (;;) {
    const window = await file.read(end.position, windowBytes)
    const reached = scanWindow(window, file.path, end)
    if (reached.position > end.position) windowBytes = WINDOW_BYTES
    else {
      const sizeBytes = validHeader(window, file.path)?.sizeBytes ?? 0
      if (sizeBytes <= window.length || sizeBytes > file.length - end.position) return end
      windowBytes = sizeBytes
    }
    end = reached
  }
}

function scanWindow(window: Uint8Array, path: string, from: ScanEnd): ScanEnd {
  let end = from
  try {
    for (const batch of walkBatches(window, path, from.position, from.offset)) {
      end = { position: batch.position + batch.bytes.length, offset: batch.header.endOffset }
    }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
  }
  return end
}

function validHeader(bytes: Uint8Array, path: string): RecordBatchHeader | undefined {
  try {
    return decodeBatchHeader(bytes, 0, path)
  } catch (error) {
    if (error instanceof MillraceError) return undefined
    throw error
  }
}

/** Without a published end nothing tells what was durable: a bad batch with a valid one behind it is then taken for damage. */
async function checkNothingValidBehind(file: AppendFile, end: ScanEnd): Promise<void> {
  const rest = await file.read(end.position, file.length - end.position)
  for (let at = 1; at + BATCH_HEADER_BYTES <= rest.length; at++) {
    if (rest[at + MAGIC_AT] === 2 && validBatchAt(rest.subarray(at), end.offset)) {
      throw new MillraceError(
        'corrupt-data',
        `${file.path} is damaged: no valid record batch at byte ${end.position}, but one at ${end.position + at}`,
        { hint: 'restore the file from a backup, or remove the topic and produce it again' },
      )
    }
  }
}

function validBatchAt(bytes: Uint8Array, offset: number): boolean {
  const header = validHeader(bytes, '')
  return (
    header !== undefined &&
    header.baseOffset > offset &&
    scanWindow(bytes, '', { position: 0, offset: header.baseOffset }).position > 0
  )
}

function checkAgainst(published: PublishedEnd | undefined, newest: number, folder: string): void {
  if (!published || published.segmentBase <= newest) return
  throw new MillraceError(
    'data-loss',
    `${folder} has lost segments: the newest begins at offset ${newest}, ${published.segmentBase} was published`,
    { hint: 'restore the folder from a backup, or remove the topic and produce it again' },
  )
}

function shortened(file: AppendFile, durableBytes: number): MillraceError {
  return new MillraceError(
    'data-loss',
    `${file.path} has ${file.length} bytes, ${durableBytes} had been made durable`,
    {
      hint: 'the disk or another program cut it off: restore it from a backup, or remove the topic and produce it again',
    },
  )
}

function describeCut(what: string, bytes: number, before: PublishedEnd | undefined, end: number): string | undefined {
  const lost = before ? before.endOffset - end : 0
  if (lost > 0)
    return `${what} ends at offset ${end}: ${lost} records were never made durable (fsync: never) and are lost`
  return bytes > 0
    ? `${what} ends at offset ${end}: ${bytes} bytes of unfinished appends behind it were cut off`
    : undefined
}

async function factsOf(folder: string, bases: readonly number[], fileSystem: FileSystem): Promise<SegmentFacts[]> {
  const facts: SegmentFacts[] = []
  for (const baseOffset of bases) {
    const path = `${folder}/${segmentName(baseOffset)}`
    facts.push(
      await withFile(path, fileSystem, async (file) => {
        const header = decodeBatchHeader(await readFully(file, path, 0, BATCH_HEADER_BYTES), 0, path)
        return { baseOffset, bytes: await file.size(), firstAppendMs: header?.maxTimestamp }
      }),
    )
  }
  return facts
}

/** What a process left that died while it wrote the published end. */
async function removeLeftovers(folder: string, fileSystem: FileSystem): Promise<void> {
  const names = await attempt('list', folder, () => fileSystem.readdir(folder))
  for (const name of names.filter(isTemporaryName)) await removeFile(`${folder}/${name}`, fileSystem)
}

const WINDOW_BYTES = 4 * 1024 * 1024
const MAGIC_AT = 16
