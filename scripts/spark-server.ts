import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { installSpark } from './spark-install.ts'

/** What a Connect server is started with. */
export interface SparkServerOptions {
  /** Its log and what it leaves lying about; made when it is missing. */
  readonly folder: string
  readonly port: number
  /** Threads that compute. */
  readonly cores?: number
  /** Whoever calls has to send this. */
  readonly token?: string
  /** Starts faster, is slower later. */
  readonly shortLived?: boolean
}

/** A server that runs, as written to `server.json` in its folder. */
export interface SparkServer {
  readonly pid: number
  readonly port: number
}

const START_TIMEOUT_MS = 180_000
const STOP_TIMEOUT_MS = 15_000
const MAIN_CLASS = 'org.apache.spark.sql.connect.service.SparkConnectServer'

/** Starts a Spark Connect server on a loopback port, detached, and resolves when its port is open: its first answer takes some seconds more. */
export async function startSparkServer(options: SparkServerOptions): Promise<SparkServer> {
  const { folder, port, cores = 2, token, shortLived = false } = options
  const { home, kafkaJars } = installSpark()
  mkdirSync(folder, { recursive: true })
  const settings = {
    'spark.connect.grpc.binding.address': '127.0.0.1',
    'spark.connect.grpc.binding.port': String(port),
    'spark.ui.enabled': 'false',
    'spark.log.level': 'WARN',
    'spark.sql.warehouse.dir': join(folder, 'warehouse'),
    'spark.local.dir': join(folder, 'tmp'),
    ...(token !== undefined && { 'spark.connect.authenticate.token': token }),
  }
  const log = openSync(join(folder, 'server.log'), 'w')
  const child: ChildProcess = spawn(
    join(home, 'bin', 'spark-submit'),
    [
      ...['--master', `local[${cores}]`, '--driver-memory', '2g', '--class', MAIN_CLASS],
      ...(shortLived ? ['--driver-java-options', '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC'] : []),
      ...(kafkaJars.length > 0 ? ['--jars', kafkaJars.join(',')] : []),
      ...Object.entries(settings).flatMap(([name, value]) => ['--conf', `${name}=${value}`]),
    ],
    {
      // A group of its own: what is pressed on the terminal is not meant for it.
      detached: true,
      stdio: ['ignore', log, log],
      cwd: folder,
      env: { ...process.env, SPARK_HOME: home, SPARK_LOCAL_IP: '127.0.0.1' },
    },
  )
  closeSync(log)
  child.unref()
  if (child.pid === undefined) throw new Error('spark-submit could not be started')
  const server: SparkServer = { pid: child.pid, port }
  writeFileSync(join(folder, 'server.json'), `${JSON.stringify(server)}\n`)
  await untilOpen(server, folder)
  return server
}

/** Ends a server by its process id, cleanly unless told otherwise, and waits until it is gone. */
export async function stopSparkServer(server: SparkServer, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  if (!isRunning(server)) return
  process.kill(server.pid, signal)
  const deadline = Date.now() + STOP_TIMEOUT_MS
  while (isRunning(server)) {
    if (Date.now() > deadline) process.kill(server.pid, 'SIGKILL')
    await sleep(50)
  }
}

/** The server of a folder, if it runs. */
export function runningSparkServer(folder: string): SparkServer | undefined {
  const file = join(folder, 'server.json')
  if (!existsSync(file)) return undefined
  const server = JSON.parse(readFileSync(file, 'utf8')) as SparkServer
  return isRunning(server) ? server : undefined
}

/** Forgets a server that was stopped, and what it has left. */
export function forgetSparkServer(folder: string): void {
  for (const name of ['server.json', 'tmp', 'warehouse']) rmSync(join(folder, name), { recursive: true, force: true })
}

async function untilOpen(server: SparkServer, folder: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!(await isOpen(server.port))) {
    if (!isRunning(server)) {
      throw new Error(`the server ended: ${readFileSync(join(folder, 'server.log'), 'utf8').slice(-2_000)}`)
    }
    if (Date.now() > deadline) {
      await stopSparkServer(server, 'SIGKILL')
      throw new Error(`the server did not start within ${START_TIMEOUT_MS / 1000} s; see ${folder}/server.log`)
    }
    await sleep(100)
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

/** A process id may have been given to somebody else. */
function isRunning({ pid, port }: SparkServer): boolean {
  try {
    const [state = 'Z'] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').slice(-1)
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    // Empty for a moment while the script becomes the server.
    return !state.startsWith('Z') && (command === '' || command.includes(`binding.port=${port}`))
  } catch {
    return false
  }
}
