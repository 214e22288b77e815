import { decodeText, encodeText } from '../../base/bytes.ts'
import type { EncodedRecords } from '../../batch/encoded-records.ts'
import { RecordWalk } from '../../batch/record-walk.ts'
import type { Log, TopicSettings } from '../log.ts'
import { RecordBatchBuilder } from '../record-batch-builder.ts'
import { createKafkaTopic } from './admin.ts'
import type { Cluster } from './cluster.ts'
import type { Topics } from './topics.ts'

type Labels = NonNullable<TopicSettings['labels']>

const READ_BYTES_MAX = 1 << 20

/** Kafka has no place for facts about a topic, so they are kept in a topic of ours, by the topic's id: one created anew has none. */
export const LABELS_TOPIC = '_millrace_topics'

/** Reads and writes the labels of topics. */
export class TopicLabels {
  readonly #cluster: Cluster
  readonly #topics: Topics
  readonly #log: Pick<Log, 'read' | 'append' | 'offsets'>
  readonly #known = new Map<string, Labels>()
  #position = 0

  constructor(cluster: Cluster, topics: Topics, log: Pick<Log, 'read' | 'append' | 'offsets'>) {
    this.#cluster = cluster
    this.#topics = topics
    this.#log = log
  }

  /** Of the topic with this id; undefined when it has none. */
  async read(topicId: string): Promise<Labels | undefined> {
    const known = this.#known.get(topicId)
    if (known || !(await this.#topics.find(LABELS_TOPIC))) return known
    const { end } = await this.#log.offsets(LABELS_TOPIC, 0)
    while (this.#position < end) {
      const pieces = await this.#log.read(LABELS_TOPIC, 0, this.#position, READ_BYTES_MAX)
      if (pieces.length === 0) break
      for (const piece of pieces) this.#take(piece)
    }
    return this.#known.get(topicId)
  }

  /** For ever: labels do not change. */
  async write(topicId: string, labels: Labels): Promise<void> {
    await createKafkaTopic(this.#cluster, this.#topics, LABELS_TOPIC, 1, { 'cleanup.policy': 'compact' })
    const builder = new RecordBatchBuilder(1024)
    builder.add(encodeText(topicId), encodeText(JSON.stringify({ topicId, labels })), Date.now())
    await this.#log.append(LABELS_TOPIC, 0, builder.finish())
    this.#known.set(topicId, labels)
  }

  #take(piece: EncodedRecords): void {
    const walk = new RecordWalk()
    walk.begin(piece.bytes, piece.bytes.length)
    for (let count = 0; count < piece.recordCount && walk.next(); count++) {
      const text = decodeText(piece.bytes.subarray(walk.valueStart, walk.valueStart + walk.valueLength))
      const { topicId, labels } = JSON.parse(text) as { readonly topicId: string; readonly labels: Labels }
      this.#known.set(topicId, labels)
    }
    this.#position = Math.max(this.#position, piece.endOffset)
  }
}
