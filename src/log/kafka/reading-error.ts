import { MillraceError } from '../../base/error.ts'
import type { Cluster } from './cluster.ts'
import { partitionOffsets } from './offsets.ts'
import { topicConfigs } from './topic-configs.ts'
import type { Topics } from './topics.ts'

/** The error for an offset that a partition does not have, with what it does have and why that may be. */
export async function outOfRange(
  cluster: Cluster,
  topics: Topics,
  topic: string,
  partition: number,
  offset: number,
): Promise<MillraceError> {
  const { start, end } = (await partitionOffsets(cluster, topics, topic))[partition] ?? { start: 0, end: 0 }
  const what = `${topic}-${partition}`
  if (offset > end) {
    return new MillraceError(
      'data-loss',
      `${what} ends at offset ${end}, offset ${offset} was never written or was lost`,
      {
        hint: 'was the topic created anew, or are the brokers restored from an older copy? start over with another --checkpoint folder and another --output',
      },
    )
  }
  const configs = await topicConfigs(cluster, topic)
  const keeps = ['retention.ms', 'retention.bytes'].map((name) => `${name}=${configs.get(name)?.value ?? '?'}`)
  return new MillraceError(
    'data-loss',
    `${what} begins at offset ${start}, offset ${offset} is gone (${keeps.join(', ')})`,
    {
      hint: 'retention removed it: keep more (kafka-configs --alter), or start over with another --checkpoint folder and another --output',
    },
  )
}

/** The error for a topic that was deleted while it was read. */
export function topicGone(topic: string, createdAnew: boolean): MillraceError {
  const what = createdAnew ? 'was deleted and created anew' : 'was deleted'
  return new MillraceError('data-loss', `the topic ${topic} ${what} while it was read`, {
    hint: 'start over with another --checkpoint folder and another --output, or read another topic',
  })
}
