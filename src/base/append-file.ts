import { dirname } from 'node:path'
import { assert } from './assert.ts'
import { systemErrorCode } from './error.ts'
import { die, failpoint, tornWrite } from './failpoint.ts'
import { attempt, readFully, syncDirectory, syncFile, writeFully } from './file-io.ts'
import { type FileSystem, nodeFileSystem, type OpenFile } from './file-system.ts'

/** Opens a file for appending behind its last byte; creates it when it is not there. Its name is durable either way. */
export async function openAppendFile(path: string, fileSystem: FileSystem = nodeFileSystem): Promise<AppendFile> {
  const file = await attempt('open', path, () => openOrCreate(path, fileSystem))
  const length = await attempt('open', path, () => file.size())
  await syncDirectory(dirname(path), fileSystem)
  return new AppendFile(path, file, length)
}

/**
 * A file that only grows: journals and segments.
 * - `append` one at a time; `sync` may run beside an append and covers what was appended before it was called.
 * - A failed append leaves no trace: the file is cut back to its last good length, durably, before the error is thrown.
 * - After a failed `sync`, or a cut that failed, the file is broken and each further write throws that error again.
 */
export class AppendFile {
  readonly path: string
  readonly #file: OpenFile
  #length: number
  #syncedLength = 0
  #appending = false
  #broken: unknown

  constructor(path: string, file: OpenFile, length: number) {
    this.path = path
    this.#file = file
    this.#length = length
  }

  /** Bytes of whole appends, and those that the file began with. */
  get length(): number {
    return this.#length
  }

  /** Bytes that this object has made durable; 0 before the first `sync`. */
  get syncedLength(): number {
    return this.#syncedLength
  }

  /** Resolves to the position of the first byte appended. */
  async append(content: Uint8Array | readonly Uint8Array[]): Promise<number> {
    failpoint('append:before-write')
    this.#assertUsable()
    assert(!this.#appending, 'appends to one file do not overlap')
    this.#appending = true
    const position = this.#length
    try {
      const chunks = content instanceof Uint8Array ? [content] : content
      if (tornWrite('append:write')) await this.#writeHalf(chunks)
      this.#length = position + (await writeFully(this.#file, this.path, chunks, position))
      return position
    } catch (error) {
      await this.truncate(position).catch(() => {}) // A cut that fails breaks the file; this error is the one to tell.
      throw error
    } finally {
      this.#appending = false
    }
  }

  async sync(): Promise<void> {
    failpoint('append:before-sync')
    this.#assertUsable()
    const length = this.#length
    await this.#orBreak(() => syncFile(this.#file, this.path))
    this.#syncedLength = Math.max(this.#syncedLength, length)
    failpoint('append:after-sync')
  }

  /** Cuts off what lies behind `length`, durably. Not beside an append. */
  async truncate(length: number): Promise<void> {
    this.#assertUsable()
    assert(length <= this.#length, 'a file is cut, never extended')
    await this.#orBreak(async () => {
      await attempt('cut off', this.path, () => this.#file.truncate(length))
      await syncFile(this.#file, this.path)
    })
    this.#length = length
    this.#syncedLength = length
  }

  /** Bytes at a position; fewer than asked for only at the end of the file. */
  read(position: number, length: number): Promise<Uint8Array> {
    return readFully(this.#file, this.path, position, Math.min(length, this.#length - position))
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async #writeHalf(chunks: readonly Uint8Array[]): Promise<never> {
    const whole = Buffer.concat(chunks)
    await writeFully(this.#file, this.path, [whole.subarray(0, whole.length >> 1)], this.#length)
    return die()
  }

  #assertUsable(): void {
    if (this.#broken !== undefined) throw this.#broken
  }

  async #orBreak(call: () => Promise<void>): Promise<void> {
    try {
      await call()
    } catch (error) {
      this.#broken = error
      throw error
    }
  }
}

async function openOrCreate(path: string, fileSystem: FileSystem): Promise<OpenFile> {
  try {
    return await fileSystem.open(path, 'r+')
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error
    return fileSystem.open(path, 'wx+')
  }
}
