import { MillraceError } from '../base/error.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { Log } from '../log/log.ts'
import type { LogSourceSpec } from '../plan/connectors.ts'
import type { Source, SourceOffsets, SourcePartition } from './source.ts'
import { type TopicWait, waitForTopic } from './topic-wait.ts'

const READ_BYTES_MAX = 4 << 20

/** A topic of a log: every partition of it, followed as it grows. */
export async function logSource(spec: LogSourceSpec, log: Log, wait: TopicWait = {}): Promise<Source> {
  const { topic } = spec
  if (spec.fromTimeMs !== undefined) throw noTimes(topic)
  const finder = {
    where: 'in the log',
    find: (name: string) => log.describeTopic(name),
    names: async () => (await log.listTopics()).map((found) => found.topic),
  }
  await waitForTopic(topic, finder, wait)
  return {
    identity: `topic ${topic} of ${log.name}`,
    bounded: false,
    async partitions(): Promise<SourcePartition[]> {
      const description = await log.describeTopic(topic)
      return (description?.offsets ?? []).map(({ start, end }, partition) => ({
        id: `${topic}-${partition}`,
        startOffset: spec.from === 'latest' ? end : start,
        fingerprint: '',
      }))
    },
    read: (partitionId, fromOffset, toOffset, signal) =>
      readPartition(log, topic, partitionId, fromOffset, toOffset, signal),
    async offsets() {
      const description = await log.describeTopic(topic)
      const offsets = new Map<string, SourceOffsets>()
      for (const [partition, { start, end }] of (description?.offsets ?? []).entries()) {
        offsets.set(`${topic}-${partition}`, { start, end })
      }
      return offsets
    },
    close: () => Promise.resolve(),
  }
}

async function* readPartition(
  log: Log,
  topic: string,
  partitionId: string,
  fromOffset: number,
  toOffset: number,
  signal: AbortSignal,
): AsyncGenerator<EncodedRecords> {
  const partition = Number(partitionId.slice(topic.length + 1))
  let position = fromOffset
  while (position < toOffset && !signal.aborted) {
    const batches = await log.read(topic, partition, position, READ_BYTES_MAX)
    for (const batch of batches) {
      if (signal.aborted || batch.baseOffset >= toOffset) return
      yield batch
      position = Math.max(position, batch.endOffset)
    }
    if (batches.length === 0) await log.waitForRecords(topic, partition, position, signal)
  }
}

function noTimes(topic: string): MillraceError {
  return new MillraceError(
    'unsupported',
    `the topic "${topic}" of the embedded log cannot be read from a point in time on`,
    {
      hint: 'start at earliest or latest, or read the topic from Kafka',
    },
  )
}
