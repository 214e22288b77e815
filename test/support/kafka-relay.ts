import { connect, createServer, type Server, type Socket } from 'node:net'

/** Kinds of requests that a test may want to hold, by their number in Kafka's protocol. */
export const REQUEST = { produce: 0, initProducerId: 22, endTxn: 26 } as const

/** A request that is on its way and does not arrive. */
export interface HeldRequest {
  /** Lets it go on, if its sender is still there. */
  release(): void
}

/**
 * A way to a broker that breaks when a test wants it to: all connections at once, after so many bytes, or it keeps a request of a certain kind to
 * itself. A broker names it to its clients when it was started with its port (`relayPort`).
 */
export class KafkaRelay {
  readonly port: number
  /** Port of the broker; connections are refused until it is known. */
  target: number | undefined
  /** Connections that were cut. */
  cuts = 0
  readonly #server: Server
  readonly #lines = new Set<Line>()
  #bytesLeft = Number.POSITIVE_INFINITY
  #wanted: { readonly apiKey: number; readonly take: (held: HeldRequest) => void } | undefined

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  static async start(): Promise<KafkaRelay> {
    const server = createServer()
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const address = server.address()
    if (typeof address !== 'object' || !address) throw new Error('a listening server has a port')
    const relay = new KafkaRelay(server, address.port)
    server.on('connection', (client) => relay.#accept(client))
    return relay
  }

  /** Cuts every connection. */
  cut(): void {
    this.#bytesLeft = Number.POSITIVE_INFINITY
    this.cuts += this.#lines.size
    for (const line of this.#lines) line.end()
  }

  /** Cuts every connection when so many more bytes have come through, either way. */
  cutAfter(bytes: number): void {
    this.#bytesLeft = bytes
  }

  /** Keeps the next request of a kind, and what comes behind it. */
  hold(apiKey: number): Promise<HeldRequest> {
    return new Promise((take) => {
      this.#wanted = { apiKey, take }
    })
  }

  close(): void {
    for (const line of this.#lines) line.end()
    this.#server.close()
  }

  #accept(client: Socket): void {
    if (this.target === undefined) {
      client.destroy()
      return
    }
    const line = new Line(client, connect(this.target, '127.0.0.1'), {
      passed: (bytes) => {
        this.#bytesLeft -= bytes
        if (this.#bytesLeft <= 0) this.cut()
      },
      begins: (apiKey, held) => {
        if (this.#wanted?.apiKey !== apiKey) return false
        this.#wanted.take(held)
        this.#wanted = undefined
        return true
      },
      ended: () => this.#lines.delete(line),
    })
    this.#lines.add(line)
  }
}

interface LineEvents {
  passed(bytes: number): void
  /** A request begins; true keeps it. */
  begins(apiKey: number, held: HeldRequest): boolean
  ended(): void
}

/** Bytes of a request up to its kind: its length without these four, then two for the kind. */
const LENGTH_BYTES = 4
const KIND_BYTES = 6

/** One connection from end to end. */
class Line {
  readonly #client: Socket
  readonly #upstream: Socket
  readonly #events: LineEvents
  /** Bytes from the client that have not gone on: less than the head of a request, or what is kept. */
  #waiting: Buffer = Buffer.alloc(0)
  /** Of the request that is going on. */
  #requestBytesLeft = 0
  #kept = false

  constructor(client: Socket, upstream: Socket, events: LineEvents) {
    this.#client = client
    this.#upstream = upstream
    this.#events = events
    for (const socket of [client, upstream]) {
      socket.on('error', () => this.end())
      socket.on('close', () => this.end())
    }
    client.on('data', (bytes) => {
      this.#waiting = Buffer.concat([this.#waiting, bytes])
      this.#goOn()
    })
    upstream.on('data', (bytes) => this.#pass(bytes, upstream, client))
  }

  end(): void {
    this.#client.destroy()
    this.#upstream.destroy()
    this.#events.ended()
  }

  #goOn(): void {
    while (!this.#kept && this.#waiting.length > 0) {
      if (this.#requestBytesLeft === 0) {
        if (this.#waiting.length < KIND_BYTES) return
        this.#requestBytesLeft = LENGTH_BYTES + this.#waiting.readInt32BE(0)
        const release = (): void => {
          this.#kept = false
          this.#goOn()
        }
        this.#kept = this.#events.begins(this.#waiting.readInt16BE(LENGTH_BYTES), { release })
        continue
      }
      const part = this.#waiting.subarray(0, this.#requestBytesLeft)
      this.#requestBytesLeft -= part.length
      this.#waiting = this.#waiting.subarray(part.length)
      this.#pass(part, this.#client, this.#upstream)
    }
  }

  /** Whoever sends faster than the other side takes has to wait. */
  #pass(bytes: Buffer, from: Socket, to: Socket): void {
    if (!to.write(bytes) && !from.isPaused()) {
      from.pause()
      to.once('drain', () => from.resume())
    }
    this.#events.passed(bytes.length)
  }
}
