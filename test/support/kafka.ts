import { rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { type Cluster, runningCluster, startCluster } from '../../scripts/kafka-cluster.ts'
import { type KafkaLog, openKafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { kafkaOptions } from '../../src/log/kafka/kafka-options.ts'
import { sharedServer } from './shared-server.ts'

/** What the tests' own broker is kept in, beside what other users have. */
const FOLDER = join(tmpdir(), `millrace-test-kafka-${userInfo().uid}`)

/**
 * A broker of the tests' own, shared by all test files that run at the same time and for a few seconds after that: the first to come starts it, and
 * a guard ends it when the processes that wanted it are gone. Names of topics are the caller's business: take `freshTopic`.
 */
export function testKafka(): Promise<Cluster> {
  return sharedServer({ folder: FOLDER, script: 'kafka.ts', find: () => runningCluster(FOLDER), start: startShared })
}

/** Connects to a cluster as the command does. */
export function openTestLog(servers: string, environment: Record<string, string> = {}): Promise<KafkaLog> {
  return openKafkaLog({ ...kafkaOptions(servers, environment), waitMs: 200 })
}

let topics = 0

/** A name that no other test uses. */
export function freshTopic(what: string): string {
  return `${what}-${process.pid}-${Date.now().toString(36)}-${++topics}`
}

function startShared(): Promise<Cluster> {
  for (const name of ['data-1', 'cluster.json', 'broker-1.properties']) {
    rmSync(join(FOLDER, name), { recursive: true, force: true })
  }
  return startCluster({ folder: FOLDER, brokers: 1, secure: true, shortLived: true })
}
