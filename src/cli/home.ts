import { join, resolve } from 'node:path'
import type { KafkaLog } from '../log/kafka/kafka-log.ts'
import type { Log } from '../log/log.ts'
import { say } from './output.ts'

/** Where Millrace keeps its own things: `log/`, `checkpoints/`, `dead-letters/`. */
export interface Home {
  readonly path: string
  readonly log: string
  checkpoint(pipeline: string): string
  deadLetters(pipeline: string): string
}

/** The folder that the setting names. */
export function homeAt(setting: string | undefined): Home {
  const path = resolve(setting ?? '.millrace')
  return {
    path,
    log: join(path, 'log'),
    checkpoint: (pipeline) => join(path, 'checkpoints', pipeline),
    deadLetters: (pipeline) => join(path, 'dead-letters', pipeline),
  }
}

/**
 * Opens the log that is meant: the Kafka cluster of these brokers, else the embedded log of a home. Loaded on first use.
 * Kafka's other settings come from the environment.
 */
export async function openLog(
  home: Home,
  mode: 'read' | 'write',
  who: string,
  servers: string | undefined,
): Promise<Log> {
  if (servers) return openKafka(servers)
  const { openEmbeddedLog } = await import('../log/embedded-log.ts')
  return openEmbeddedLog(home.log, { mode, who })
}

/** The log that a job reads: an embedded one that is not there yet is waited for, as a topic is. */
export async function openInputLog(home: Home, who: string, servers: string | undefined): Promise<Log> {
  if (!servers) {
    const { holdsLog } = await import('../log/embedded-log.ts')
    const { waitFor } = await import('../sources/topic-wait.ts')
    await waitFor(`a log in ${home.log}`, async () => (await holdsLog(home.log)) || undefined, { report: say })
  }
  return openLog(home, 'read', who, servers)
}

/** Connects to a Kafka cluster; trouble that passes is told on stderr. */
export async function openKafka(servers: string): Promise<KafkaLog> {
  const { kafkaOptions } = await import('../log/kafka/kafka-options.ts')
  const { openKafkaLog } = await import('../log/kafka/kafka-log.ts')
  const report = (text: string): void => void process.stderr.write(`${text}\n`)
  return openKafkaLog({ ...kafkaOptions(servers, process.env), report })
}

/** How large the generator may make its batches: they grow to four times this, and a broker takes 1 MiB unless told otherwise. */
export function batchBytesFor(log: Log): { readonly batchBytes?: number } {
  return log.kind === 'kafka' ? { batchBytes: 200 << 10 } : {}
}
