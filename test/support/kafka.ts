import { spawn } from 'node:child_process'
import { mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Cluster, runningCluster, startCluster } from '../../scripts/kafka-cluster.ts'
import { acquireLock } from '../../src/base/lock-file.ts'
import { type KafkaLog, openKafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { kafkaOptions } from '../../src/log/kafka/kafka-options.ts'

/** What the tests' own broker is kept in, beside what other users have. */
const FOLDER = join(tmpdir(), `millrace-test-kafka-${userInfo().uid}`)

/**
 * A broker of the tests' own, shared by all test files that run at the same time and for a few seconds after that: the first to come starts it, and
 * a guard ends it when the processes that wanted it are gone. Names of topics are the caller's business: take `freshTopic`.
 */
export async function testKafka(): Promise<Cluster> {
  const leases = join(FOLDER, 'leases')
  for (;;) {
    mkdirSync(leases, { recursive: true })
    writeFileSync(join(leases, String(process.pid)), '')
    const lock = await acquireLock(join(FOLDER, 'lock'), 'millrace tests').catch(() => undefined)
    if (!lock) {
      await sleep(100)
      continue
    }
    try {
      return runningCluster(FOLDER) ?? (await startShared())
    } finally {
      await lock.release()
    }
  }
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

async function startShared(): Promise<Cluster> {
  for (const name of ['data-1', 'cluster.json', 'broker-1.properties']) {
    rmSync(join(FOLDER, name), { recursive: true, force: true })
  }
  const cluster = await startCluster({ folder: FOLDER, brokers: 1, secure: true, shortLived: true })
  const log = openSync(join(FOLDER, 'guard.log'), 'w')
  const script = join(import.meta.dirname, '..', '..', 'scripts', 'kafka.ts')
  spawn(process.execPath, [script, 'guard', '--folder', FOLDER], {
    detached: true,
    stdio: ['ignore', log, log],
  }).unref()
  return cluster
}
