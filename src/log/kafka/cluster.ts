import { MillraceError } from '../../base/error.ts'
import type { FramePool } from '../frame-pool.ts'
import { type BrokerAbilities, brokerAbilities } from './api-versions.ts'
import { Connection } from './connection.ts'
import { kafkaError } from './kafka-error.ts'
import type { BrokerAddress, KafkaOptions } from './kafka-options.ts'
import { retrying } from './retry.ts'
import { findCoordinator, type MetadataResponse, metadata } from './wire.ts'

/** What a connection is for: a long poll, or a large batch, must not stand in the way of small requests. */
export type Lane = 'control' | 'wait' | 'produce' | `read ${number}`

/** Time to find a broker when we start: one that is being started gets a chance, and nobody waits longer than ten seconds in all. */
const BOOTSTRAP_LIMIT_MS = 6_000
const CONNECT_TIMEOUT_MS = 3_000
/** Time for a question to be asked again over a new connection: a broker is there at once, or another one is. */
const QUESTION_LIMIT_MS = 2_000
const REQUEST_TIMEOUT_MS = 30_000
/** Brokers answer a poll after half a second at the latest. */
const POLL_TIMEOUT_MS = 5_500

/** The brokers of a cluster, and a connection to each for each lane, made when it is needed and again after it was lost. */
export class Cluster {
  readonly options: KafkaOptions
  readonly id: string
  readonly abilities: BrokerAbilities
  #brokers: ReadonlyMap<number, BrokerAddress>
  readonly #connections = new Map<string, Promise<Connection>>()
  #readLanes = 0
  #closed = false

  private constructor(options: KafkaOptions, first: MetadataResponse, abilities: BrokerAbilities) {
    this.options = options
    this.id = first.clusterId ?? 'unnamed'
    this.abilities = abilities
    this.#brokers = addresses(first)
  }

  /** Throws within seconds when no broker answers or none lets us in. */
  static async connect(options: KafkaOptions): Promise<Cluster> {
    const open = async (): Promise<Cluster> => {
      const connection = await firstOf(options.bootstrap, options)
      try {
        const { host, port } = connection.address
        const abilities = await brokerAbilities(connection, `${host}:${port}`)
        return new Cluster(options, await metadata(connection, [], false, false), abilities)
      } finally {
        connection.close()
      }
    }
    let told = false
    return retrying(open, {
      limitMs: options.waitMs ?? BOOTSTRAP_LIMIT_MS,
      onError: ({ message }) => {
        if (!told) options.report?.(`waiting for Kafka: ${message}`)
        told = true
      },
    })
  }

  /** A connection to a broker, shared by all requests of the lane. */
  async connection(nodeId: number, lane: Lane, frames?: FramePool): Promise<Connection> {
    const address = this.#brokers.get(nodeId)
    if (!address) {
      throw new MillraceError('unavailable', `broker ${nodeId} is not known in the cluster`, {
        hint: 'it has stopped: start it, or wait for another one to take over',
      })
    }
    return this.#shared(`${nodeId} ${lane}`, address, lane, frames)
  }

  /** Any broker that answers. */
  async any(): Promise<Connection> {
    let failure: unknown
    for (const nodeId of this.#brokers.keys()) {
      try {
        return await this.connection(nodeId, 'control')
      } catch (error) {
        failure = error
      }
    }
    for (const address of this.options.bootstrap) {
      try {
        return await this.#shared(`${address.host}:${address.port}`, address, 'control')
      } catch (error) {
        failure ??= error
      }
    }
    throw failure
  }

  /** One for each broker that is known. */
  each(): Promise<Connection[]> {
    return Promise.all([...this.#brokers.keys()].map((nodeId) => this.connection(nodeId, 'control')))
  }

  /** Asks something that changes nothing, and again when a connection breaks meanwhile: an answer that got lost is no reason to give up. */
  asking<T>(question: () => Promise<T>): Promise<T> {
    return retrying(question, { limitMs: QUESTION_LIMIT_MS })
  }

  /** Topics (all of them for null) and brokers as they are now. */
  async metadata(topics: readonly string[] | null): Promise<MetadataResponse> {
    const response = await this.asking(async () => metadata(await this.any(), topics && [...topics], false, false))
    if (response.brokers.length > 0) this.#brokers = addresses(response)
    return response
  }

  /** A connection to the broker that coordinates a group or a transactional id. */
  async coordinator(kind: 'group' | 'transaction', key: string): Promise<Connection> {
    const response = await findCoordinator(await this.any(), kind === 'group' ? 0 : 1, [key])
    const [found] = response.coordinators
    if (found.errorCode !== 0)
      throw kafkaError(found.errorCode, `find the coordinator of ${kind} ${key}`, found.errorMessage)
    if (!this.#brokers.has(found.nodeId)) {
      this.#brokers = new Map([...this.#brokers, [found.nodeId, { host: found.host, port: found.port }]])
    }
    return this.connection(found.nodeId, 'control')
  }

  /** A lane that nobody else uses. */
  newReadLane(): `read ${number}` {
    return `read ${++this.#readLanes}`
  }

  /** Ends a lane's connections. */
  closeLane(lane: Lane): void {
    for (const [key, opening] of this.#connections) {
      if (!key.endsWith(` ${lane}`)) continue
      this.#connections.delete(key)
      closeWhenOpen(opening)
    }
  }

  close(): void {
    this.#closed = true
    for (const opening of this.#connections.values()) closeWhenOpen(opening)
    this.#connections.clear()
  }

  async #shared(key: string, address: BrokerAddress, lane: Lane, frames?: FramePool): Promise<Connection> {
    const known = this.#connections.get(key)
    if (known) {
      const connection = await known
      const moved = connection.address.host !== address.host || connection.address.port !== address.port
      if (!connection.closed && !connection.expired && !moved) return connection
      // A later request must not overtake an earlier one on its way through the old connection.
      if (!connection.closed && !moved) await connection.idle()
      connection.close()
      if (this.#connections.get(key) === known) this.#connections.delete(key)
      return this.#shared(key, address, lane, frames)
    }
    const opening = this.#open(address, isPoll(lane) ? POLL_TIMEOUT_MS : REQUEST_TIMEOUT_MS, frames)
    this.#connections.set(key, opening)
    opening.catch(() => {
      if (this.#connections.get(key) === opening) this.#connections.delete(key)
    })
    return opening
  }

  async #open(address: BrokerAddress, requestTimeoutMs: number, frames?: FramePool): Promise<Connection> {
    if (this.#closed)
      throw new MillraceError('unavailable', 'the connection to Kafka was closed', { hint: 'open it again' })
    const connection = await openConnection(address, this.options, requestTimeoutMs, {
      proven: true,
      ...(frames && { frames }),
    })
    if (this.#closed) connection.close()
    return connection
  }
}

function isPoll(lane: Lane): boolean {
  return lane === 'wait' || lane.startsWith('read')
}

function closeWhenOpen(opening: Promise<Connection>): void {
  opening.then(
    (connection) => connection.close(),
    () => {},
  )
}

function openConnection(
  address: BrokerAddress,
  { security }: KafkaOptions,
  requestTimeoutMs: number,
  more: { readonly proven?: true; readonly frames?: FramePool } = {},
): Promise<Connection> {
  return Connection.open({
    address,
    security,
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    requestTimeoutMs,
    ...more,
  })
}

/** What is wrong with the settings is thrown before what may pass. */
async function firstOf(bootstrap: readonly BrokerAddress[], options: KafkaOptions): Promise<Connection> {
  const failures: MillraceError[] = []
  for (const address of bootstrap) {
    try {
      return await openConnection(address, options, CONNECT_TIMEOUT_MS)
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      failures.push(error)
    }
  }
  throw failures.find(({ code }) => code !== 'unavailable') ?? failures[0]
}

function addresses({ brokers }: MetadataResponse): Map<number, BrokerAddress> {
  return new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]))
}
