import { isKafkaLog } from '../log/kafka/is-kafka-log.ts'
import type { Log } from '../log/log.ts'
import type { SourceSpec } from '../plan/connectors.ts'
import type { Source } from './source.ts'
import type { TopicWait } from './topic-wait.ts'

/** What a source is made with. */
export interface SourceContext extends TopicWait {
  /** Folder that relative paths start from. */
  readonly workingFolder: string
  /** Opens the log, on first use. */
  readonly openLog: () => Promise<Log>
  readonly stdin: NodeJS.ReadableStream
}

/** Makes the source that a specification describes; says when there is nothing to read. */
export async function createSource(spec: SourceSpec, context: SourceContext): Promise<Source> {
  if (spec.kind === 'log') {
    const log = await context.openLog()
    if (isKafkaLog(log)) return (await import('./kafka-source.ts')).kafkaSource(spec, log, context)
    return (await import('./log-source.ts')).logSource(spec, log, context)
  }
  return (await import('./file-source.ts')).fileSource(spec, context)
}
