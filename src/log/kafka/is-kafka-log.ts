import type { Log } from '../log.ts'
import type { KafkaLog } from './kafka-log.ts'

/** Tells a Kafka cluster from other logs without loading its client. */
export function isKafkaLog(log: Log): log is KafkaLog {
  return log.kind === 'kafka'
}
