// `npm run spark -- install|start|stop|status`: a Spark Connect server on a loopback port, for development and tests. It needs
// Java 17 and Python 3; `--port` sets the port, `--folder` where it lives, `--cores` how many threads compute.

import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { guard } from './guard.ts'
import { installSpark } from './spark-install.ts'
import { forgetSparkServer, runningSparkServer, startSparkServer, stopSparkServer } from './spark-server.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string', default: '15002' },
    folder: { type: 'string', default: join('.millrace', 'spark-server') },
    cores: { type: 'string', default: '2' },
  },
})
const folder = resolve(values.folder)

switch (positionals[0]) {
  case 'install':
    installSpark()
    break
  case 'start': {
    const running = runningSparkServer(folder)
    const options = { folder, port: Number(values.port), cores: Number(values.cores) }
    const server = running ?? (await startSparkServer(options))
    process.stderr.write(running ? 'Spark runs already\n' : 'Spark runs\n')
    process.stdout.write(`sc://127.0.0.1:${server.port}\n`)
    break
  }
  case 'stop':
    await stop()
    break
  case 'status': {
    const running = runningSparkServer(folder)
    if (running) process.stdout.write(`sc://127.0.0.1:${running.port}\n`)
    else process.exitCode = 1
    break
  }
  case 'guard':
    await guard(folder, stop)
    break
  default:
    process.stderr.write('usage: npm run spark -- install|start|stop|status [--port P] [--folder F] [--cores N]\n')
    process.exitCode = 2
}

async function stop(): Promise<void> {
  const running = runningSparkServer(folder)
  if (running) await stopSparkServer(running)
  forgetSparkServer(folder)
}
