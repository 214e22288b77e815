/** File system calls that finish what they begin, and say in words what went wrong, where, and what to do. */
import { MillraceError, systemErrorCode } from './error.ts'
import { type FileSystem, nodeFileSystem, type OpenFile } from './file-system.ts'

/** Writes all chunks at a position, however few bytes the system takes at a time; resolves to their length. `path` is for errors. */
export async function writeFully(
  file: OpenFile,
  path: string,
  chunks: readonly Uint8Array[],
  position: number,
): Promise<number> {
  let rest = chunks.filter((chunk) => chunk.length > 0)
  let at = position
  while (rest.length > 0) {
    const written = await attempt('write', path, () => file.write(rest, at))
    at += written
    rest = withoutFirst(written, rest)
  }
  return at - position
}

/** Reads bytes at a position, into `room` if given; fewer than asked for only at the end of the file. `path` is for errors. */
export async function readFully(
  file: OpenFile,
  path: string,
  position: number,
  length: number,
  room?: Uint8Array,
): Promise<Uint8Array> {
  const bytes = room?.subarray(0, length) ?? new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const count = await attempt('read', path, () => file.read(bytes.subarray(filled), position + filled))
    if (count === 0) break
    filled += count
  }
  return bytes.subarray(0, filled)
}

/** All bytes of a file; undefined when it is not there, nor can be because something above it is no folder. */
export async function readFileIfThere(
  path: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<Uint8Array | undefined> {
  try {
    return await withFile(path, fileSystem, async (file) => readFully(file, path, 0, await file.size()))
  } catch (error) {
    const code = error instanceof MillraceError ? systemErrorCode(error.cause) : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

/** Opens a file for reading, and closes it whatever happens. */
export async function withFile<T>(
  path: string,
  fileSystem: FileSystem,
  use: (file: OpenFile) => Promise<T>,
): Promise<T> {
  const file = await attempt('open', path, () => fileSystem.open(path, 'r'))
  try {
    return await attempt('read', path, () => use(file))
  } finally {
    await file.close()
  }
}

/**
 * Waits until what was written is on the disk. An error is `data-loss` and must never be tried again: the system may have dropped the
 * very pages that it could not write, and a second call would succeed without them.
 */
export async function syncFile(file: OpenFile, path: string): Promise<void> {
  try {
    await file.sync()
  } catch (error) {
    throw new MillraceError('data-loss', `cannot make ${path} durable: ${messageOf(error)}`, {
      hint: 'check the disk and its log for errors, then start again: recovery goes on from the last durable state',
      cause: error,
    })
  }
}

/** Makes the names in a directory durable: created, renamed and removed ones. */
export async function syncDirectory(path: string, fileSystem: FileSystem = nodeFileSystem): Promise<void> {
  const directory = await attempt('open the folder', path, () => fileSystem.open(path, 'r'))
  await syncFile(directory, path).finally(() => directory.close())
}

/** Runs one call and puts its error into words. */
export async function attempt<T>(action: string, path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw fileError(error, action, path)
  }
}

/**
 * A system error as one for people; the system's own is its `cause`. Only a full disk or table of files is `unavailable`, worth another
 * try later. What is no system error passes unchanged.
 */
export function fileError(error: unknown, action: string, path: string): unknown {
  const code = systemErrorCode(error)
  if (error instanceof MillraceError || code === undefined) return error
  const [errorCode, hint] = SYSTEM_ERRORS.get(code) ?? OTHER
  return new MillraceError(errorCode, `cannot ${action} ${path}: ${messageOf(error)}`, { hint, cause: error })
}

type Translation = readonly [code: MillraceError['code'], hint: string]

const PERMISSION: Translation = ['invalid-option', 'choose another folder, or give this user the right to it']
const FULL: Translation = ['unavailable', 'free space on the disk that holds this path']
const TOO_MANY: Translation = ['unavailable', 'raise the limit of open files (ulimit -n)']
const OTHER: Translation = ['invalid-option', 'check the path and the file system it is on']

const SYSTEM_ERRORS: ReadonlyMap<string, Translation> = new Map([
  ['EACCES', PERMISSION],
  ['EPERM', PERMISSION],
  ['EROFS', ['invalid-option', 'choose another folder: this one is mounted read-only']],
  ['ENOSPC', FULL],
  ['EDQUOT', FULL],
  ['EMFILE', TOO_MANY],
  ['ENFILE', TOO_MANY],
  ['EIO', ['data-loss', 'check the disk and its log for errors']],
  ['ENOENT', ['invalid-option', 'check that this path exists']],
  ['ENOTDIR', ['invalid-option', 'a part of this path is a file: choose another path']],
  ['EISDIR', ['invalid-option', 'this path is a folder: choose another path']],
])

function withoutFirst(byteCount: number, chunks: readonly Uint8Array[]): Uint8Array[] {
  const rest: Uint8Array[] = []
  let skip = byteCount
  for (const chunk of chunks) {
    if (skip < chunk.length) rest.push(chunk.subarray(skip))
    skip = Math.max(0, skip - chunk.length)
  }
  return rest
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
