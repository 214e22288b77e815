import { dirname, join, resolve } from 'node:path'
import { decodeText, encodeText } from '../../base/bytes.ts'
import { createDirectory, writeDurableFile } from '../../base/durable-file.ts'
import { MillraceError } from '../../base/error.ts'
import { failpoint } from '../../base/failpoint.ts'
import { readFileIfThere } from '../../base/file-io.ts'
import { type FileSystem, nodeFileSystem } from '../../base/file-system.ts'
import type { LatestFileSinkSpec } from '../../plan/connectors.ts'
import { partitionValue } from '../partition-path.ts'
import type { Sink, SinkContext } from '../sink.ts'
import type { Mark } from '../table-mark.ts'
import { LatestSink, type LatestStore } from './latest-sink.ts'

/** A file with the newest text of each key, replaced whole: whoever reads it gets one version or the next. */
export async function latestFileSink(spec: LatestFileSinkSpec, context: SinkContext): Promise<Sink> {
  const store = new LatestFiles(spec.file, context)
  return new LatestSink({ key: spec.file, value: spec.value, part: partitionValue }, store, context)
}

class LatestFiles implements LatestStore {
  readonly target: string
  readonly #workingFolder: string
  readonly #markPath: string
  readonly #fileSystem: FileSystem

  constructor(file: string, { workingFolder, name, fileSystem = nodeFileSystem }: SinkContext) {
    const path = resolve(workingFolder, file)
    // The folder above the first name that depends on rows.
    const fixed = path.split('{', 1)[0] ?? path
    this.target = path
    this.#workingFolder = workingFolder
    this.#markPath = join(fixed === path ? dirname(path) : dirname(`${fixed}x`), `.${name}.mark.json`)
    this.#fileSystem = fileSystem
  }

  async mark(): Promise<Mark | undefined> {
    const bytes = await readFileIfThere(this.#markPath, this.#fileSystem)
    if (bytes === undefined) return undefined
    try {
      return JSON.parse(decodeText(bytes)) as Mark
    } catch (cause) {
      const hint = 'remove it: what is beside it is replaced by the next epoch'
      throw new MillraceError('corrupt-data', `${this.#markPath} is damaged`, { hint, cause })
    }
  }

  /** Texts first: when somebody dies in between, they are written again. One process at a time has the checkpoint, so nobody is in the way. */
  async move(from: Mark | undefined, to: Mark, entries: ReadonlyMap<string, string>): Promise<boolean> {
    if (JSON.stringify(await this.mark()) !== JSON.stringify(from)) return false
    for (const [key, text] of entries) await this.#write(resolve(this.#workingFolder, key), text)
    failpoint('latest-file:after-texts')
    const { owner, epoch, fence, hash } = to
    await this.#write(this.#markPath, JSON.stringify({ owner, epoch, fence, hash }))
    return true
  }

  async close(): Promise<void> {}

  async #write(path: string, text: string): Promise<void> {
    await createDirectory(dirname(path), this.#fileSystem)
    await writeDurableFile(path, encodeText(`${text}\n`), { overwrite: true }, this.#fileSystem)
  }
}
