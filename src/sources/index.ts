import { isKafkaLog } from '../log/kafka/is-kafka-log.ts'
import type { Log } from '../log/log.ts'
import type { SourceSpec } from '../plan/connectors.ts'
import type { Source } from './source.ts'

/** What a source is made with. */
export interface SourceContext {
  /** Folder that relative paths start from. */
  readonly workingFolder: string
  /** Opens the log, on first use. */
  readonly openLog: () => Promise<Log>
  readonly stdin: NodeJS.ReadableStream
}

/** Makes the source that a specification describes; says at once when there is nothing to read. */
export async function createSource(spec: SourceSpec, context: SourceContext): Promise<Source> {
  if (spec.kind === 'log') {
    const log = await context.openLog()
    if (isKafkaLog(log)) return (await import('./kafka-source.ts')).kafkaSource(spec, log)
    return (await import('./log-source.ts')).logSource(spec, log)
  }
  return (await import('./file-source.ts')).fileSource(spec, context)
}
