import { dirname, join } from 'node:path'
import { decodeText, encodeText } from '../base/bytes.ts'
import { crc32c } from '../base/crc32c.ts'
import { removeFile, removeTree } from '../base/durable-file.ts'
import { MillraceError, systemErrorCode } from '../base/error.ts'
import { attempt, readFileIfThere } from '../base/file-io.ts'
import { type FileSystem, nodeFileSystem } from '../base/file-system.ts'
import type { PreparedOutput, SinkProgress } from './sink.ts'

/** An epoch that is complete, as `_log` has it. */
export interface LogEntry extends PreparedOutput, SinkProgress {}

/** Committed epochs of an output folder, oldest first: what a reader may take for complete. */
export async function readOutputLog(folder: string, fileSystem: FileSystem = nodeFileSystem): Promise<LogEntry[]> {
  const entries: LogEntry[] = []
  for (const epoch of await logEpochs(folder, fileSystem)) {
    const entry = await readLogEntry(folder, epoch, fileSystem)
    if (entry) entries.push(entry)
  }
  return entries
}

/** The entry of one epoch; undefined when it has none. */
export async function readLogEntry(
  folder: string,
  epoch: number,
  fileSystem: FileSystem,
): Promise<LogEntry | undefined> {
  const path = logPath(folder, epoch)
  const bytes = await readFileIfThere(path, fileSystem)
  if (bytes === undefined) return undefined
  const { crc, ...entry } = parsed(bytes, path) as LogEntry & { readonly crc?: number }
  if (crc32c(encodeText(JSON.stringify(entry))) !== crc || entry.epoch !== epoch) throw damaged(path)
  return entry
}

/** An entry as it is kept: JSON, at its end the CRC-32C of the same JSON without it. */
export function encodeLogEntry(entry: LogEntry): Uint8Array {
  const crc = crc32c(encodeText(JSON.stringify(entry)))
  return encodeText(`${JSON.stringify({ ...entry, crc })}\n`)
}

/** Which checkpoint a folder says that it belongs to; undefined when it says nothing. */
export async function readOwner(folder: string, fileSystem: FileSystem): Promise<string | undefined> {
  const path = ownerPath(folder)
  const bytes = await readFileIfThere(path, fileSystem)
  if (bytes === undefined) return undefined
  const { owner } = parsed(bytes, path) as { owner?: unknown }
  if (typeof owner !== 'string') throw damaged(path)
  return owner
}

function parsed(bytes: Uint8Array, path: string): object {
  try {
    const value: unknown = JSON.parse(decodeText(bytes))
    if (typeof value === 'object' && value !== null) return value
  } catch (error) {
    throw damaged(path, error)
  }
  throw damaged(path)
}

function damaged(path: string, cause?: unknown): MillraceError {
  return new MillraceError('corrupt-data', `${path} is damaged`, {
    hint: 'restore it from a backup, or start over with another --output and another --checkpoint',
    cause,
  })
}

/** Epochs that have an entry, ascending. */
export async function logEpochs(folder: string, fileSystem: FileSystem): Promise<number[]> {
  const names = await namesIn(join(folder, '_log'), fileSystem)
  return names
    .filter((name) => /^\d{15}\.json$/.test(name))
    .map((name) => Number.parseInt(name, 10))
    .sort((left, right) => left - right)
}

/** Where the entry of an epoch is. */
export function logPath(folder: string, epoch: number): string {
  return join(folder, '_log', `${String(epoch).padStart(15, '0')}.json`)
}

/** Where the folder says which checkpoint it belongs to. */
export function ownerPath(folder: string): string {
  return join(folder, '_log', 'owner.json')
}

/** Names in a folder; none when it is not there. */
export async function namesIn(folder: string, fileSystem: FileSystem): Promise<string[]> {
  try {
    return await fileSystem.readdir(folder)
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return []
    return attempt('read the folder', folder, () => Promise.reject(error))
  }
}

/** Removes what a file sink made below a folder, and nothing else: files, and folders of partitions that nobody else uses. */
export async function clearOutputFolder(folder: string): Promise<void> {
  if ((await readFileIfThere(ownerPath(folder))) === undefined) return
  const partitions = new Set<string>()
  for (const entry of await readOutputLog(folder)) {
    for (const file of entry.files) {
      await removeFile(join(folder, file.path))
      if (file.path.includes('/')) partitions.add(dirname(file.path))
    }
  }
  for (const partition of partitions) await removeIfEmpty(join(folder, partition))
  await removeTree(join(folder, '.staging'))
  await removeTree(join(folder, '_log'))
}

async function removeIfEmpty(folder: string): Promise<void> {
  if ((await namesIn(folder, nodeFileSystem)).length > 0) return
  await nodeFileSystem.rmdir(folder).catch((error: unknown) => {
    const code = systemErrorCode(error)
    // Somebody was quicker: it is gone, or used.
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY') throw error
  })
}
