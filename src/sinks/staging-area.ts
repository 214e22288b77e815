import { join } from 'node:path'
import { createDirectory, removeTree, syncDirectory } from '../base/durable-file.ts'
import { isMissing, MillraceError, systemErrorCode } from '../base/error.ts'
import { attempt } from '../base/file-io.ts'
import type { FileSystem } from '../base/file-system.ts'
import { namesIn } from './output-log.ts'

/**
 * Where files wait for their epoch to become certain, on the same file system as the output:
 *
 *   <out>/.staging/<fence>/<epoch>/...          of the process that has the folder
 *   <out>/.staging/fenced/<fence>/<epoch>/...   of older ones, moved aside by the next
 *
 * A process publishes only from below its own `<fence>` folder or from those of older ones. Once its folder has been moved, its next
 * step fails: nothing of a stale process becomes visible.
 */
export class StagingArea {
  readonly #target: string
  readonly #folder: string
  readonly #fileSystem: FileSystem
  #fence = 0

  constructor(target: string, fileSystem: FileSystem) {
    this.#target = target
    this.#folder = join(target, '.staging')
    this.#fileSystem = fileSystem
  }

  /** Shuts out every older process; throws `incompatible-state` when a newer one has been here. */
  async open(fence: number): Promise<void> {
    this.#fence = fence
    const fenced = join(this.#folder, 'fenced')
    await createDirectory(fenced, this.#fileSystem)
    // Made before looking around: of two processes that open at once, the older sees the newer or is seen by it.
    await createDirectory(this.#own, this.#fileSystem)
    await this.orStale(() => this.#fenceOlder(fenced))
  }

  /** An empty folder for an epoch; what an earlier attempt of this process left there is gone. */
  async begin(epoch: number): Promise<string> {
    await this.orStale(() => removeTree(join(this.#own, String(epoch)), this.#fileSystem))
    return this.epochFolder(epoch)
  }

  /** The folder of an epoch, below that of this process. */
  async epochFolder(epoch: number): Promise<string> {
    const folder = join(this.#own, String(epoch))
    try {
      await this.#fileSystem.mkdir(folder)
    } catch (error) {
      if (systemErrorCode(error) === 'EEXIST') return folder
      if (systemErrorCode(error) === 'ENOENT') throw this.#stale()
      return attempt('create the folder', folder, () => Promise.reject(error))
    }
    await this.orStale(() => syncDirectory(this.#own, this.#fileSystem))
    return folder
  }

  /** Where a file of an epoch may have been staged, by this process or by an older one. */
  async copies(epoch: number, name: string): Promise<string[]> {
    const folders = [this.#own, ...(await this.#olderFolders())]
    return folders.map((folder) => join(folder, String(epoch), name))
  }

  /** Throws `incompatible-state` when a newer process has moved the folder of this one aside. */
  async assertOwned(): Promise<void> {
    const names = await namesIn(this.#folder, this.#fileSystem)
    if (!names.includes(String(this.#fence))) throw this.#stale()
  }

  /** Runs a step below the folder of this process: what is missing because a newer one has moved it aside is not the disk's fault. */
  async orStale<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step()
    } catch (error) {
      if (isMissing(error)) await this.assertOwned()
      throw error
    }
  }

  /** Removes what was staged for epochs up to and including this one. */
  forget(epoch: number): Promise<void> {
    return this.orStale(() => this.#remove(epoch))
  }

  async #fenceOlder(fenced: string): Promise<void> {
    const files = this.#fileSystem
    const others = [...(await namesIn(this.#folder, files)), ...(await namesIn(fenced, files))].filter(isNumber)
    const newest = Math.max(0, ...others.map(Number))
    if (newest > this.#fence) throw this.#stale()
    for (const name of await namesIn(this.#folder, files)) {
      if (!isNumber(name) || Number(name) >= this.#fence) continue
      await attempt('move', join(this.#folder, name), () => files.rename(join(this.#folder, name), join(fenced, name)))
    }
    await syncDirectory(fenced, files)
    await syncDirectory(this.#folder, files)
  }

  async #remove(epoch: number): Promise<void> {
    for (const folder of [this.#own, ...(await this.#olderFolders())]) {
      const names = await namesIn(folder, this.#fileSystem)
      const past = names.filter((name) => isNumber(name) && Number(name) <= epoch)
      for (const name of past) await removeTree(join(folder, name), this.#fileSystem)
      if (folder !== this.#own && past.length === names.length) await removeTree(folder, this.#fileSystem)
    }
  }

  get #own(): string {
    return join(this.#folder, String(this.#fence))
  }

  /** Newest first. */
  async #olderFolders(): Promise<string[]> {
    const names = await namesIn(join(this.#folder, 'fenced'), this.#fileSystem)
    const older = names.filter((name) => isNumber(name) && Number(name) < this.#fence)
    return older.sort((left, right) => Number(right) - Number(left)).map((name) => join(this.#folder, 'fenced', name))
  }

  #stale(): MillraceError {
    return staleWriter(this.#target, this.#fence)
  }
}

/** For a process whose folder a newer one has taken away. */
export function staleWriter(target: string, fence: number): MillraceError {
  return new MillraceError(
    'incompatible-state',
    `${target} is written by a newer process than this one, which has fence ${fence}`,
    { hint: 'another process runs this pipeline: stop one of them' },
  )
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name)
}
