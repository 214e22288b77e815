import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MillraceError } from '../../base/error.ts'

/*
 *   <out>/_spark_metadata/0           what micro-batch 0 has written: a line with the version, then a JSON object for each file
 *   <out>/_spark_metadata/9.compact   the same for all micro-batches up to 9
 *
 * Files that are not listed are of attempts that failed.
 */
const LOG_FOLDER = '_spark_metadata'
const LOG_NAME = /^(\d+)(\.compact)?$/
const VERSION = 'v1'

/** A micro-batch that Spark has committed to a folder, with its files. */
export interface SinkBatch {
  readonly batchId: number
  readonly files: readonly string[]
}

/** The micro-batches from `fromBatch` on that a folder holds, in order; none as long as nothing was written. */
export async function sinkBatches(folder: string, fromBatch: number): Promise<SinkBatch[]> {
  const entries = await logEntries(folder)
  const batches: SinkBatch[] = []
  for (const entry of entries.filter(({ batchId }) => batchId >= fromBatch)) {
    const files = await listedFiles(join(folder, LOG_FOLDER, entry.name))
    // The log of the batch before has all earlier files when it is compact, else the compact one before that and those between.
    const earlier = entry.compact ? await filesBefore(folder, entries, entry.batchId) : new Set<string>()
    batches.push({ batchId: entry.batchId, files: files.filter((file) => !earlier.has(file)) })
  }
  return batches
}

interface LogEntry {
  readonly batchId: number
  readonly name: string
  readonly compact: boolean
}

async function logEntries(folder: string): Promise<LogEntry[]> {
  const names = await readdir(join(folder, LOG_FOLDER)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const entries = names.flatMap((name) => {
    const [match, batchId, compact] = LOG_NAME.exec(name) ?? []
    return match === undefined ? [] : [{ batchId: Number(batchId), name, compact: compact !== undefined }]
  })
  return entries.sort((left, right) => left.batchId - right.batchId)
}

async function filesBefore(folder: string, entries: readonly LogEntry[], batchId: number): Promise<Set<string>> {
  const before = entries.filter((entry) => entry.batchId < batchId)
  const from = before.findLastIndex(({ compact }) => compact)
  const lists = before.slice(Math.max(0, from)).map(({ name }) => listedFiles(join(folder, LOG_FOLDER, name)))
  return new Set((await Promise.all(lists)).flat())
}

async function listedFiles(path: string): Promise<string[]> {
  const [version, ...lines] = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '')
  if (version !== VERSION) {
    throw new MillraceError('unsupported', `${path} has version ${version}, not ${VERSION}`, {
      hint: 'the folder was written by another version of Spark than this one knows: 4.0 to 4.3 were tried',
    })
  }
  return lines.map((line) => pathOf((JSON.parse(line) as { path: string }).path))
}

function pathOf(address: string): string {
  if (address.startsWith('file:')) return fileURLToPath(address)
  if (address.startsWith('/')) return address
  throw new MillraceError('unsupported', `${address} is not in a folder of this machine`, {
    hint: 'the cluster and this machine need a folder that both have at the same path: name it with --relay, or --work of verify',
  })
}
