import { type FileHandle, link, mkdir, open, readdir, realpath, rename, rmdir, unlink } from 'node:fs/promises'

/**
 * The calls that durable files and the embedded log need, and no more. Tests put one in its place that cuts writes short,
 * fills up, fails to sync, or forgets at a crash what was never synced.
 * Errors are the system's own, with a `code` such as `ENOENT`.
 */
export interface FileSystem {
  /** `r` reads; `r+` reads and writes what exists; `wx+` creates, and fails with EEXIST when the file exists. Directories open with `r`. */
  open(path: string, flags: 'r' | 'r+' | 'wx+'): Promise<OpenFile>
  /** Fails with EEXIST when `to` exists. */
  link(from: string, to: string): Promise<void>
  /** Replaces `to`. */
  rename(from: string, to: string): Promise<void>
  /** Fails with EISDIR for a directory. */
  unlink(path: string): Promise<void>
  /** One level; fails with EEXIST or ENOENT. */
  mkdir(path: string): Promise<void>
  /** Fails with ENOTEMPTY when something is in it. */
  rmdir(path: string): Promise<void>
  /** Names in a directory, in no particular order. */
  readdir(path: string): Promise<string[]>
  /** The path without symbolic links. */
  realpath(path: string): Promise<string>
}

/** An open file, with the calls that durable files need. */
export interface OpenFile {
  /** Reads into `target`; resolves to the number of bytes, which may be fewer than asked for, 0 at the end. */
  read(target: Uint8Array, position: number): Promise<number>
  /** Writes the chunks one behind the other; resolves to the number of bytes written, which may be fewer. */
  write(chunks: readonly Uint8Array[], position: number): Promise<number>
  /** fsync: content, length and, for a directory, its entries survive a power cut once this has resolved. */
  sync(): Promise<void>
  truncate(length: number): Promise<void>
  size(): Promise<number>
  close(): Promise<void>
}

/** The machine's file system. */
export const nodeFileSystem: FileSystem = {
  open: async (path, flags) => openFile(await open(path, flags)),
  link,
  rename,
  unlink,
  mkdir: async (path) => {
    await mkdir(path)
  },
  rmdir,
  readdir: (path) => readdir(path),
  realpath: (path) => realpath(path),
}

function openFile(handle: FileHandle): OpenFile {
  return {
    read: async (target, position) => (await handle.read(target, 0, target.length, position)).bytesRead,
    write: async (chunks, position) => (await handle.writev([...chunks], position)).bytesWritten,
    sync: () => handle.sync(),
    truncate: (length) => handle.truncate(length),
    size: async () => (await handle.stat()).size,
    close: () => handle.close(),
  }
}
