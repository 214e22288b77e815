/**
 * The only code that creates durable files. A file gets its name only after its content is on the disk, and the name is on the disk
 * too before a call resolves: after a crash at any moment a file is there whole or not at all.
 */
import { randomBytes } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { MillraceError, systemErrorCode } from './error.ts'
import { attempt, fileError, syncDirectory, syncFile, writeFully } from './file-io.ts'
import { type FileSystem, nodeFileSystem } from './file-system.ts'

export { AppendFile, openAppendFile } from './append-file.ts'
export { fileError, syncDirectory } from './file-io.ts'

/**
 * Writes a whole file through a temporary name in the same directory. With `overwrite` it replaces what was there, in one step;
 * without, an existing file stays as it is and the call throws `incompatible-state`.
 */
export async function writeDurableFile(
  path: string,
  content: Uint8Array | readonly Uint8Array[],
  options: { readonly overwrite: boolean },
  fileSystem: FileSystem = nodeFileSystem,
): Promise<void> {
  const temporary = join(dirname(path), temporaryName(basename(path)))
  try {
    await createFile(temporary, content instanceof Uint8Array ? [content] : content, fileSystem)
    if (options.overwrite) await attempt('write', path, () => fileSystem.rename(temporary, path))
    else await publishTemporary(temporary, path, fileSystem)
  } catch (error) {
    await fileSystem.unlink(temporary).catch(() => {}) // The first error is the one to tell.
    throw error
  }
  await syncDirectory(dirname(path), fileSystem)
}

/**
 * Gives a finished, synced file a second name; an existing file of that name is never touched. The name is durable once the caller has
 * called `syncDirectory` for its directory, once for many files.
 */
export async function publishFile(
  from: string,
  to: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<'published' | 'exists'> {
  try {
    await fileSystem.link(from, to)
    return 'published'
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return 'exists'
    throw fileError(error, 'create', to)
  }
}

/** Removes a file; does nothing when it is not there. Durable after `syncDirectory`. */
export async function removeFile(path: string, fileSystem: FileSystem = nodeFileSystem): Promise<void> {
  try {
    await fileSystem.unlink(path)
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw fileError(error, 'remove', path)
  }
}

/** Removes a directory with all that is in it; does nothing when it is not there. Durable after `syncDirectory` of its parent. */
export async function removeTree(path: string, fileSystem: FileSystem = nodeFileSystem): Promise<void> {
  let names: string[]
  try {
    names = await fileSystem.readdir(path)
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return
    if (systemErrorCode(error) === 'ENOTDIR') return removeFile(path, fileSystem)
    throw fileError(error, 'remove', path)
  }
  for (const name of names) await removeTree(join(path, name), fileSystem)
  await attempt('remove', path, () => fileSystem.rmdir(path))
}

/**
 * Creates a directory and those above it. Its name is durable even when an earlier process made it and died before syncing;
 * that costs one sync of the parent per call, so remember what you have created.
 */
export async function createDirectory(path: string, fileSystem: FileSystem = nodeFileSystem): Promise<void> {
  const parent = dirname(path)
  try {
    await fileSystem.mkdir(path)
  } catch (error) {
    const code = systemErrorCode(error)
    if (code === 'EEXIST') return syncWhereAllowed(parent, fileSystem)
    if (code !== 'ENOENT' || parent === path) throw fileError(error, 'create the folder', path)
    await createDirectory(parent, fileSystem)
    // With its parent there it can be made, unless the parent is a link to what is gone, or no place for folders.
    await attempt('create the folder', path, () => makeDirectory(path, fileSystem))
  }
  await syncDirectory(parent, fileSystem)
}

/** Somebody else may have made it. */
async function makeDirectory(path: string, fileSystem: FileSystem): Promise<void> {
  try {
    await fileSystem.mkdir(path)
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error
  }
}

/** True for the temporary names of `writeDurableFile`. What a crash left under such a name may be removed. */
export function isTemporaryName(name: string): boolean {
  return /^\..+\.[0-9a-f]{12}\.tmp$/.test(name)
}

function temporaryName(name: string): string {
  return `.${name}.${randomBytes(6).toString('hex')}.tmp`
}

async function createFile(path: string, chunks: readonly Uint8Array[], fileSystem: FileSystem): Promise<void> {
  const file = await attempt('create', path, () => fileSystem.open(path, 'wx+'))
  try {
    await writeFully(file, path, chunks, 0)
    await syncFile(file, path)
  } finally {
    await file.close()
  }
}

async function publishTemporary(temporary: string, path: string, fileSystem: FileSystem): Promise<void> {
  if ((await publishFile(temporary, path, fileSystem)) === 'exists') {
    throw new MillraceError('incompatible-state', `${path} already exists`, {
      hint: 'another process may have written it: look at it before removing it',
    })
  }
  await removeFile(temporary, fileSystem)
}

/** A directory that existed before may be closed to this user: then it is not ours to make durable. */
async function syncWhereAllowed(path: string, fileSystem: FileSystem): Promise<void> {
  try {
    await syncDirectory(path, fileSystem)
  } catch (error) {
    if (!(error instanceof MillraceError && error.code === 'invalid-option')) throw error
  }
}
