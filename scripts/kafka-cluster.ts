import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { installKafka, KAFKA_CLASSES } from './kafka-install.ts'
import { brokerProperties, extraListeners, KEYSTORE_PASSWORD, type Node } from './kafka-properties.ts'

/** What a cluster is started with. */
export interface ClusterOptions {
  /** Everything of the cluster is in here: settings, logs, data. Made when it is missing; data in it is kept. */
  readonly folder: string
  readonly brokers: number
  /** Of the first broker; a free one when it is left out. */
  readonly port?: number
  /** Listeners with TLS and passwords besides the plain one; see `SecureListeners`. */
  readonly secure?: boolean
  /** Starts faster, is slower later. */
  readonly shortLived?: boolean
  /** Port of a relay to the first broker, which has a listener for it: who comes that way is told to go on that way. */
  readonly relayPort?: number
}

/** Addresses of the first broker's other listeners. */
export interface SecureListeners {
  /** SASL without TLS. PLAIN: alice, secret. SCRAM-SHA-256: bob, builder. */
  readonly sasl: string
  readonly tls: string
  readonly saslTls: string
  /** Certificate that the TLS listeners are to be trusted by, PEM. */
  readonly certificate: string
}

/** A cluster that runs, as written to `cluster.json` in its folder. */
export interface Cluster {
  readonly bootstrap: string
  readonly brokers: readonly Broker[]
  readonly secure?: SecureListeners
  /** Where a relay has to lead to. */
  readonly behindRelay?: number
}

/** A process of a cluster. */
export interface Broker {
  readonly id: number
  readonly pid: number
  readonly address: string
  readonly properties: string
}

const START_TIMEOUT_MS = 180_000
const STOP_TIMEOUT_MS = 30_000

/** Starts brokers on loopback ports, detached, and resolves when they serve. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  installKafka()
  mkdirSync(options.folder, { recursive: true })
  const ports = await freePorts(options.brokers * 2 + 4)
  if (options.port !== undefined) ports[0] = options.port
  const nodes = Array.from({ length: options.brokers }, (_, index) => ({
    id: index + 1,
    port: ports[2 * index] as number,
    controllerPort: ports[2 * index + 1] as number,
  }))
  const securePorts = options.secure ? ports.slice(-3) : []
  const behindRelay = options.relayPort === undefined ? undefined : ports.at(-4)
  if (options.secure) createKeystore(options.folder)
  const files = nodes.map((node) => {
    const file = join(options.folder, `broker-${node.id}.properties`)
    const extra = node.id === 1 ? extraListeners(options, securePorts, behindRelay) : []
    writeFileSync(file, brokerProperties(options, node, nodes, extra))
    return file
  })
  // One that begins with a hyphen would be taken for an option.
  const clusterId = randomBytes(16).toString('base64url').replace(/^-/, 'A')
  for (const [index, file] of files.entries()) {
    if (!existsSync(join(options.folder, `data-${index + 1}`, 'meta.properties'))) format(file, clusterId, options)
  }
  const brokers: Broker[] = []
  for (const [index, file] of files.entries()) {
    const node = nodes[index] as Node
    const pid = spawnBroker(file, options.shortLived ?? false)
    brokers.push({ id: node.id, pid, address: `127.0.0.1:${node.port}`, properties: file })
  }
  await Promise.all(brokers.map((broker) => untilStarted(broker)))
  const cluster: Cluster = {
    bootstrap: brokers.map((broker) => broker.address).join(','),
    brokers,
    ...(options.secure ? { secure: secureListeners(options.folder, securePorts) } : {}),
    ...(behindRelay === undefined ? {} : { behindRelay }),
  }
  writeFileSync(join(options.folder, 'cluster.json'), `${JSON.stringify(cluster)}\n`)
  return cluster
}

/** Starts a broker that was stopped, with the same ports and data. */
export async function restartBroker(broker: Broker): Promise<Broker> {
  const again = { ...broker, pid: spawnBroker(broker.properties, true) }
  await untilStarted(again)
  return again
}

/** Ends a broker by its process id, cleanly unless told otherwise, and waits until it is gone. */
export async function stopBroker(broker: Broker, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  if (!isBroker(broker)) return
  process.kill(broker.pid, signal)
  const deadline = Date.now() + STOP_TIMEOUT_MS
  while (isBroker(broker)) {
    if (Date.now() > deadline) process.kill(broker.pid, 'SIGKILL')
    await sleep(50)
  }
}

/** The cluster of a folder, if all of it runs. */
export function runningCluster(folder: string): Cluster | undefined {
  const file = join(folder, 'cluster.json')
  if (!existsSync(file)) return undefined
  const cluster = JSON.parse(readFileSync(file, 'utf8')) as Cluster
  return cluster.brokers.every(isBroker) ? cluster : undefined
}

/** Runs one of Kafka's own tools, by its class, to its end; resolves to what it prints. Rejects when it fails. */
export function kafkaTool(className: string, args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('java', ['-Xmx256m', ...QUICK, '-cp', KAFKA_CLASSES, className, ...args], {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    })
    const output: Buffer[] = []
    const errors: Buffer[] = []
    child.stdout?.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk))
    child.stdin?.end(input)
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(output).toString())
      else reject(new Error(`${className} ended with ${code}: ${Buffer.concat([...output, ...errors]).toString()}`))
    })
  })
}

/** For processes that do not live long enough to be compiled well. */
const QUICK = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']

function spawnBroker(file: string, shortLived: boolean): number {
  const log = openSync(`${file}.log`, 'w')
  const heap = ['-Xmx512m', '-Xms256m', ...(shortLived ? QUICK : ['-XX:+UseG1GC'])]
  const child: ChildProcess = spawn(
    'java',
    [...heap, '-cp', KAFKA_CLASSES, '-Dorg.slf4j.simpleLogger.defaultLogLevel=info', 'kafka.Kafka', file],
    // A group of its own: what is pressed on the terminal is not meant for the broker.
    { detached: true, stdio: ['ignore', log, log] },
  )
  closeSync(log)
  child.unref()
  if (child.pid === undefined) throw new Error('java could not be started')
  return child.pid
}

async function untilStarted(broker: Broker): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  const log = `${broker.properties}.log`
  while (!readFileSync(log, 'utf8').includes('Kafka Server started')) {
    if (!isBroker(broker)) throw new Error(`the broker ended: ${readFileSync(log, 'utf8').slice(-2_000)}`)
    if (Date.now() > deadline) {
      await stopBroker(broker, 'SIGKILL')
      throw new Error(`the broker did not start within ${START_TIMEOUT_MS / 1000} s; see ${log}`)
    }
    await sleep(50)
  }
}

/** A process id may have been given to somebody else. */
function isBroker({ pid, properties: file }: Broker): boolean {
  try {
    const [state = 'Z'] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').slice(-1)
    return !state.startsWith('Z') && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(file)
  } catch {
    return false
  }
}

function format(file: string, clusterId: string, options: ClusterOptions): void {
  const users = options.secure ? ['--add-scram', 'SCRAM-SHA-256=[name=bob,password=builder]'] : []
  const { status, stdout, stderr } = spawnSync(
    'java',
    [...QUICK, '-cp', KAFKA_CLASSES, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', file, ...users],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`the broker's folder could not be formatted: ${stdout}${stderr}`)
}

function createKeystore(folder: string): void {
  const store = join(folder, 'server.p12')
  if (existsSync(store)) return
  const keytool = (...args: string[]): void => {
    const { status, stdout, stderr } = spawnSync('keytool', args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`keytool failed: ${stdout}${stderr}`)
  }
  const common = ['-alias', 'server', '-keystore', store, '-storepass', KEYSTORE_PASSWORD]
  const names = ['-dname', 'CN=localhost', '-ext', 'san=dns:localhost,ip:127.0.0.1']
  const key = ['-keyalg', 'RSA', '-validity', '3650', '-storetype', 'PKCS12', '-keypass', KEYSTORE_PASSWORD]
  keytool('-genkeypair', ...common, ...key, ...names)
  keytool('-exportcert', '-rfc', ...common, '-file', join(folder, 'server.pem'))
}

function secureListeners(folder: string, ports: readonly number[]): SecureListeners {
  const [sasl, tls, saslTls] = ports.map((port) => `127.0.0.1:${port}`)
  return {
    sasl: sasl as string,
    tls: tls as string,
    saslTls: saslTls as string,
    certificate: readFileSync(join(folder, 'server.pem'), 'utf8'),
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
