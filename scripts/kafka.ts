// `npm run kafka -- install|start|stop|status`: a real Kafka on loopback ports, for development and tests. It needs Java 17
// and, the first time, Maven. `--brokers 3` starts a cluster, `--port` sets the first broker's, `--folder` where it lives.

import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { guard } from './guard.ts'
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
    await stop()
    break
  case 'status': {
    const running = runningCluster(folder)
    if (running) process.stdout.write(`${running.bootstrap}\n`)
    else process.exitCode = 1
    break
  }
  case 'guard':
    await guard(folder, stop)
    break
  default:
    process.stderr.write('usage: npm run kafka -- install|start|stop|status [--brokers N] [--port P] [--folder F]\n')
    process.exitCode = 2
}

async function stop(): Promise<void> {
  await Promise.all((runningCluster(folder)?.brokers ?? []).map((broker) => stopBroker(broker)))
  rmSync(join(folder, 'cluster.json'), { force: true })
}
