import { connect, isIP, type Socket, type TcpNetConnectOpts } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { MillraceError } from '../../base/error.ts'
import type { FramePool } from '../frame-pool.ts'
import { connectError, notKafka, unreadable } from './connection-error.ts'
import type { BrokerAddress, KafkaSecurity } from './kafka-options.ts'
import { login } from './login.ts'
import { Reader, type ResponseParser, type Wire, Writer } from './wire.ts'

/** How to reach a broker. */
export interface ConnectionOptions {
  readonly address: BrokerAddress
  readonly security: KafkaSecurity
  readonly connectTimeoutMs: number
  /** A request without an answer for so long ends the connection: a broker that hangs accepts connections and says nothing. */
  readonly requestTimeoutMs: number
  /** A broker of the same cluster has let us in with the same settings. */
  readonly proven?: boolean
  /** Gives the memory for answers; new memory by default. */
  readonly frames?: FramePool
}

/**
 * A connection to one broker. Answers are received straight into one buffer each, without collecting pieces: receiving takes a
 * fifth of the time that way. Requests are answered in their order. Once closed, for whatever reason, it stays closed.
 */
export class Connection implements Wire {
  readonly address: BrokerAddress
  readonly #options: ConnectionOptions
  readonly #socket: Socket
  readonly #pending: Pending[] = []
  #nextId = 1
  #answers = 0
  #closed: MillraceError | undefined
  /** Requests that come later must go to another connection: the login ends soon. */
  #expiresAtMs = Number.POSITIVE_INFINITY
  #idle: (() => void)[] = []
  #proven: boolean

  readonly #head = Buffer.allocUnsafeSlow(4)
  /** What is being received: the size of the next answer, or the answer. */
  #target: Buffer = this.#head
  #received = 0

  private constructor(options: ConnectionOptions) {
    this.address = options.address
    this.#options = options
    const onread = {
      buffer: () => this.#target.subarray(this.#received),
      callback: (byteCount: number) => this.#receive(byteCount),
    }
    const { host, port } = options.address
    const { tls } = options.security
    const to: TcpNetConnectOpts = { host, port, onread, noDelay: true, keepAlive: true }
    // The types of node:tls do not know `onread`, which it hands on to the socket.
    this.#socket = tls ? connectTls({ ...to, ...tls, ...(isIP(host) === 0 && { servername: host }) }) : connect(to)
    this.#proven = options.proven ?? false
    this.#socket.on('error', (error) => {
      this.close(connectError(error, this.address, { security: options.security, proven: this.#proven }))
    })
    this.#socket.on('close', () => this.close(this.#lost()))
  }

  /** Connects and logs in. Throws `unavailable` when the broker cannot be reached, `invalid-option` when it does not let us in. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(options)
    try {
      await connection.#connected()
      const { sasl } = options.security
      if (sasl) {
        const lifetimeMs = await login(connection, sasl, options.address)
        if (lifetimeMs > 0) connection.#expiresAtMs = Date.now() + 0.85 * lifetimeMs
      }
      return connection
    } catch (error) {
      connection.close()
      throw error
    }
  }

  /** Why it is closed; undefined while it is open. */
  get closed(): MillraceError | undefined {
    return this.#closed
  }

  get expired(): boolean {
    return Date.now() >= this.#expiresAtMs
  }

  /** Resolves when every request has its answer. */
  idle(): Promise<void> {
    if (this.#pending.length === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#idle.push(resolve)
    })
  }

  /** Sends a request; `done` gets the parsed answer, which may hold views of the received bytes. */
  send(
    apiKey: number,
    version: number,
    createRequest: () => Writer,
    parse: ResponseParser<unknown>,
    requestHasTags: boolean,
    responseHasTags: boolean,
    done: (error: Error | null, response?: unknown) => void,
  ): void {
    if (this.#closed) {
      done(this.#closed)
      return
    }
    const id = this.#nextId
    this.#nextId = (this.#nextId + 1) & 0x7fffffff
    const head = Writer.create().appendInt16(apiKey).appendInt16(version).appendInt32(id).appendString(CLIENT_ID, false)
    if (requestHasTags) head.appendTaggedFields()
    const parts = [...head.buffers, ...createRequest().buffers]
    const size = Buffer.allocUnsafe(4)
    size.writeInt32BE(parts.reduce((sum, part) => sum + part.length, 0))
    const timer = setTimeout(() => this.close(this.#silent()), this.#options.requestTimeoutMs)
    this.#pending.push({ id, apiKey, version, responseHasTags, parse, done, timer })
    // One write of all parts: batches are not copied.
    this.#socket.cork()
    this.#socket.write(size)
    for (const part of parts) this.#socket.write(part)
    this.#socket.uncork()
  }

  /** Ends the connection; requests without an answer fail. */
  close(reason: MillraceError = this.#lost()): void {
    if (this.#closed) return
    this.#closed = reason
    this.#socket.destroy()
    for (const { timer, done } of this.#pending.splice(0)) {
      clearTimeout(timer)
      done(reason)
    }
    this.#settleIdle()
  }

  #connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { host, port } = this.address
      const timer = setTimeout(() => {
        this.close(
          new MillraceError('unavailable', `${host}:${port} does not answer`, {
            hint: 'check the address and the firewall, and whether the broker runs',
          }),
        )
      }, this.#options.connectTimeoutMs)
      this.#socket.once(this.#options.security.tls ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer)
        this.#proven = true
        resolve()
      })
      this.#socket.once('close', () => {
        clearTimeout(timer)
        reject(this.#closed ?? this.#lost())
      })
    })
  }

  /** Called when bytes have arrived in what `buffer` gave. False stops receiving. */
  #receive(byteCount: number): boolean {
    this.#received += byteCount
    // An answer that is on its way may take its time.
    this.#pending[0]?.timer.refresh()
    if (this.#received < this.#target.length) return true
    this.#received = 0
    if (this.#target !== this.#head) {
      const frame = this.#target
      this.#target = this.#head
      return this.#answer(frame)
    }
    const sizeBytes = this.#head.readInt32BE(0)
    if (sizeBytes < 4 || sizeBytes > FRAME_BYTES_MAX) {
      this.close(notKafka(this.#head, sizeBytes, this.address))
      return false
    }
    const { frames } = this.#options
    this.#target = (frames?.take(sizeBytes) ?? Buffer.allocUnsafeSlow(sizeBytes)).subarray(0, sizeBytes)
    return true
  }

  #answer(frame: Buffer): boolean {
    const request = this.#pending[0]
    if (request === undefined || frame.readInt32BE(0) !== request.id) {
      this.close(notKafka(frame, frame.length, this.address))
      return false
    }
    this.#pending.shift()
    this.#answers++
    clearTimeout(request.timer)
    let response: unknown
    let failure: Error | null = null
    try {
      const reader = Reader.from(frame)
      reader.position = request.responseHasTags ? 5 : 4
      response = request.parse(request.id, request.apiKey, request.version, reader)
    } catch (error) {
      failure = error as Error
      if (!('response' in failure)) failure = unreadable(failure, request, this.address)
    }
    request.done(failure, response)
    if (this.#pending.length === 0) this.#settleIdle()
    return true
  }

  #settleIdle(): void {
    const waiting = this.#idle
    this.#idle = []
    for (const resolve of waiting) resolve()
  }

  #lost(): MillraceError {
    const { host, port } = this.address
    // A broker that wants a password answers which versions it knows, then closes.
    const early = this.#answers <= 1 && !this.#options.security.sasl
    return new MillraceError('unavailable', `${host}:${port} has closed the connection`, {
      hint: early
        ? 'the broker has stopped, or this port wants TLS or a password (KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_MECHANISM)'
        : 'the broker has stopped or is being restarted: try again',
    })
  }

  #silent(): MillraceError {
    const { host, port } = this.address
    const seconds = this.#options.requestTimeoutMs / 1000
    return new MillraceError('unavailable', `${host}:${port} has not answered for ${seconds} s`, {
      hint: 'the broker hangs or is overloaded: look at its log',
    })
  }
}

const CLIENT_ID = 'millrace'

/** Larger answers are not from a Kafka broker: no request of ours asks for so much. */
const FRAME_BYTES_MAX = 256 << 20

interface Pending {
  readonly id: number
  readonly apiKey: number
  readonly version: number
  readonly responseHasTags: boolean
  readonly parse: ResponseParser<unknown>
  readonly done: (error: Error | null, response?: unknown) => void
  readonly timer: NodeJS.Timeout
}
