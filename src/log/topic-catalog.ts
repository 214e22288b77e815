import { decodeText, encodeText } from '../base/bytes.ts'
import { createDirectory, writeDurableFile } from '../base/durable-file.ts'
import { MillraceError } from '../base/error.ts'
import { attempt, readFileIfThere } from '../base/file-io.ts'
import type { FileSystem } from '../base/file-system.ts'
import type { TopicSettings } from './log.ts'
import { replacePublishedEnd } from './published-end.ts'
import { canonical, checkTopic, isTopicName } from './topic-settings.ts'

/**
 * Which topics an embedded log holds: one file per topic, written when its partitions' folders are ready.
 *
 *     <root>/topics/<topic>.json              settings and labels
 *     <root>/<topic>-<partition>/             segments; the number behind the last hyphen is the partition
 */
export class TopicCatalog {
  readonly #root: string
  readonly #fileSystem: FileSystem

  constructor(root: string, fileSystem: FileSystem) {
    this.#root = root
    this.#fileSystem = fileSystem
  }

  partitionFolder(topic: string, partition: number): string {
    return `${this.#root}/${topic}-${partition}`
  }

  /** May be repeated after a crash at any step. */
  async create(topic: string, settings: TopicSettings): Promise<TopicSettings> {
    const fileSystem = this.#fileSystem
    await createDirectory(this.#folder(), fileSystem)
    for (let partition = 0; partition < settings.partitions; partition++) {
      const folder = this.partitionFolder(topic, partition)
      await createDirectory(folder, fileSystem)
      await replacePublishedEnd(folder, NOTHING_PUBLISHED, fileSystem)
    }
    const kept = canonical(settings)
    await writeDurableFile(this.#path(topic), encodeText(JSON.stringify(kept)), { overwrite: false }, fileSystem)
    return kept
  }

  /** In the order of names. */
  async list(): Promise<string[]> {
    try {
      const names = await attempt('list', this.#folder(), () => this.#fileSystem.readdir(this.#folder()))
      const topics = names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length))
      return topics.filter((topic) => !topic.startsWith('.') && isTopicName(topic)).toSorted()
    } catch (error) {
      if (error instanceof MillraceError && error.code === 'invalid-option') return []
      throw error
    }
  }

  /** Undefined when there is no such topic. */
  async read(topic: string): Promise<TopicSettings | undefined> {
    if (!isTopicName(topic)) return undefined
    const bytes = await readFileIfThere(this.#path(topic), this.#fileSystem)
    return bytes && parseSettings(topic, bytes, this.#path(topic))
  }

  #folder(): string {
    return `${this.#root}/topics`
  }

  #path(topic: string): string {
    return `${this.#folder()}/${topic}.json`
  }
}

const NOTHING_PUBLISHED = { startOffset: 0, endOffset: 0, segmentBase: 0, segmentBytes: 0, synced: true }

function parseSettings(topic: string, bytes: Uint8Array, path: string): TopicSettings {
  try {
    const settings: TopicSettings = JSON.parse(decodeText(bytes))
    checkTopic(topic, settings)
    return settings
  } catch (error) {
    throw new MillraceError('corrupt-data', `${path} is damaged: it does not hold the settings of a topic`, {
      hint: 'restore it from a backup, or write it anew as {"partitions": N}',
      cause: error,
    })
  }
}
