import type { Log } from '../log/log.ts'
import { counter } from '../metrics/family.ts'
import type { MetricFamily } from '../metrics/registry.ts'

/** The same log, which knows what this process has appended to it, under the metric names of the source systems (D9). */
export function countedLog(log: Log): { readonly log: Log; families(): MetricFamily[] } {
  let produced = 0
  let failed = 0
  let bytes = 0
  return {
    log: {
      kind: log.kind,
      name: log.name,
      createTopic: (topic, settings) => log.createTopic(topic, settings),
      describeTopic: (topic) => log.describeTopic(topic),
      listTopics: () => log.listTopics(),
      read: (topic, partition, fromOffset, bytesMax) => log.read(topic, partition, fromOffset, bytesMax),
      offsets: (topic, partition) => log.offsets(topic, partition),
      waitForRecords: (topic, partition, offset, signal) => log.waitForRecords(topic, partition, offset, signal),
      close: () => log.close(),
      async append(topic, partition, draft) {
        const { recordCount, records } = draft
        const size = records.length
        try {
          const result = await log.append(topic, partition, draft)
          produced += recordCount
          bytes += size
          return result
        } catch (error) {
          failed += recordCount
          throw error
        }
      },
    },
    families: () => [
      counter('events_produced_total', 'Events that are in the log.', [], [{ labels: [], value: produced }]),
      counter('events_failed_total', 'Events that the log did not take.', [], [{ labels: [], value: failed }]),
      counter('bytes_produced_total', 'Bytes of their records.', [], [{ labels: [], value: bytes }]),
    ],
  }
}
