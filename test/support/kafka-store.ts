import { join } from 'node:path'
import { RecordWalk } from '../../src/batch/record-walk.ts'
import type { KafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { type KafkaSinkSpec, kafka } from '../../src/plan/connectors.ts'
import { createSink } from '../../src/sinks/index.ts'
import type { Sink } from '../../src/sinks/sink.ts'
import { freshTopic } from './kafka.ts'
import { rowText, SINK_FIELDS, SINK_KEYS } from './sink-rows.ts'

/** A topic with the sinks that processes open on it, and a reader of committed records. */
export class KafkaStore {
  readonly #log: KafkaLog
  readonly #folder: string
  readonly #topic = freshTopic('results')
  readonly #delivery: KafkaSinkSpec['delivery']

  constructor(log: KafkaLog, folder: string, delivery: KafkaSinkSpec['delivery']) {
    this.#log = log
    this.#folder = folder
    this.#delivery = delivery
  }

  /** The sink as another process makes it. */
  sink(): Promise<Sink> {
    return createSink(kafka(this.#topic, { key: 'page', delivery: this.#delivery }), {
      pipeline: this.#topic,
      query: 'q',
      name: 'q.kafka',
      fields: SINK_FIELDS,
      keyColumns: SINK_KEYS,
      workingFolder: '/',
      owner: 'the checkpoint',
      outboxFolder: join(this.#folder, 'outbox'),
      openKafka: async () => this.#log,
      print: () => {},
    })
  }

  async visibleRows(): Promise<string[]> {
    const topic = await this.#log.topics.find(this.#topic)
    if (!topic) return []
    const fetcher = this.#log.fetcher(topic)
    const ends = await this.#log.findOffsets(this.#topic, 'written-end')
    const rows = await Promise.all(
      ends.map(async (end, partition) => {
        const found: string[] = []
        const reading = fetcher.read(partition, 0, end, AbortSignal.timeout(30_000))
        for await (const { bytes, recordCount } of reading) found.push(...rowTexts(bytes, recordCount))
        return found
      }),
    )
    fetcher.close()
    return rows.flat().sort()
  }
}

function rowTexts(bytes: Uint8Array, recordCount: number): string[] {
  const walk = new RecordWalk()
  walk.begin(bytes, bytes.length)
  const found: string[] = []
  for (let count = 0; count < recordCount && walk.next(); count++) {
    const text = Buffer.from(bytes.subarray(walk.valueStart, walk.valueStart + walk.valueLength)).toString()
    const { page, views } = JSON.parse(text) as { page: string | null; views: number }
    found.push(rowText(page, views))
  }
  return found
}
