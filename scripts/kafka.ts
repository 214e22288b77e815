// `npm run kafka -- install|start|stop|status`: a real Kafka on loopback ports, for development and tests. It needs Java 17
// and, the first time, Maven. `--brokers 3` starts a cluster, `--port` sets the first broker's, `--folder` where it lives.

import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { acquireLock } from '../src/base/lock-file.ts'
import { runningCluster, startCluster, stopBroker } from './kafka-cluster.ts'
import { installKafka } from './kafka-install.ts'

const DEFAULT_PORT = 9092

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    brokers: { type: 'string', default: '1' },
    port: { type: 'string', default: String(DEFAULT_PORT) },
    folder: { type: 'string', default: join('.millrace', 'kafka') },
  },
})
const folder = resolve(values.folder)

/** How long a cluster that nobody wants any more is kept for the next one. */
const GUARD_IDLE_MS = 8_000

switch (positionals[0]) {
  case 'install':
    installKafka()
    break
  case 'start': {
    const running = runningCluster(folder)
    const brokers = Number(values.brokers)
    const cluster = running ?? (await startCluster({ folder, brokers, port: Number(values.port) }))
    process.stderr.write(running ? 'Kafka runs already\n' : 'Kafka runs\n')
    process.stdout.write(`${cluster.bootstrap}\n`)
    break
  }
  case 'stop':
    await Promise.all((runningCluster(folder)?.brokers ?? []).map((broker) => stopBroker(broker)))
    rmSync(join(folder, 'cluster.json'), { force: true })
    break
  case 'status': {
    const running = runningCluster(folder)
    if (running) process.stdout.write(`${running.bootstrap}\n`)
    else process.exitCode = 1
    break
  }
  case 'guard':
    await guard()
    break
  default:
    process.stderr.write('usage: npm run kafka -- install|start|stop|status [--brokers N] [--port P] [--folder F]\n')
    process.exitCode = 2
}

/** Ends the cluster when the processes that have left their ids in `leases` are gone. */
async function guard(): Promise<void> {
  const leases = join(folder, 'leases')
  let wantedAtMs = Date.now()
  for (;;) {
    await sleep(500)
    const wanted = readdirSync(leases).filter((pid) => existsSync(`/proc/${pid}`))
    if (wanted.length > 0) wantedAtMs = Date.now()
    if (Date.now() - wantedAtMs < GUARD_IDLE_MS) continue
    // Whoever wants it now waits for the lock, and starts it again.
    const lock = await acquireLock(join(folder, 'lock'), 'guard').catch(() => undefined)
    if (!lock) continue
    await Promise.all((runningCluster(folder)?.brokers ?? []).map((broker) => stopBroker(broker)))
    rmSync(join(folder, 'cluster.json'), { force: true })
    rmSync(leases, { recursive: true, force: true })
    await lock.release()
    return
  }
}
