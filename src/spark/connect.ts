import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, Metadata, ServiceError } from '@grpc/grpc-js'
import { loadProtocol, type Protocol } from './protocol.ts'
import type { Relation } from './relation.ts'
import { SparkError, type SparkFailure } from './spark-error.ts'

/** Where a Spark Connect server is, and who calls. */
export interface ConnectOptions {
  /** HOST:PORT. */
  readonly address: string
  readonly tls: boolean
  /** Sent as a bearer token; servers want TLS with it unless they are on this machine. */
  readonly token?: string
  readonly userId: string
  /** How long the server may take for a short answer, ms; two minutes when absent. */
  readonly answerMsMax?: number
}

/** A stream of results that Spark is to write. */
export interface WriteStream {
  readonly input: Relation
  readonly format: string
  readonly options: Readonly<Record<string, string>>
  readonly partitioning_column_names: readonly string[]
  readonly output_mode: 'append'
  readonly query_name: string
  readonly path?: string
  readonly available_now?: true
  readonly processing_time_interval?: string
}

/** Names a query of a server; `run_id` is another one after each start. */
export interface QueryId {
  readonly id: string
  readonly run_id: string
}

/** A type of Spark: one of its members is there, named for the type. */
export interface DataType {
  readonly decimal?: { readonly scale?: number; readonly precision?: number }
  readonly struct?: { readonly fields: readonly { readonly name: string; readonly data_type: DataType }[] }
  readonly [kind: string]: unknown
}

/** What a query tells of itself. */
export interface QueryResult {
  readonly status?: { readonly status_message?: string; readonly is_active?: boolean }
  readonly recent_progress?: { readonly recent_progress_json: readonly string[] }
  readonly exception?: { readonly exception_message?: string; readonly error_class?: string }
  readonly await_termination?: { readonly terminated?: boolean }
}

interface Reply {
  readonly server_side_session_id?: string
}

interface ExecuteReply extends Reply {
  readonly arrow_batch?: { readonly data: Uint8Array }
  readonly write_stream_operation_start_result?: { readonly query_id: QueryId }
  readonly streaming_query_command_result?: QueryResult
}

type Grpc = typeof import('@grpc/grpc-js')

const SERVICE = '/spark.connect.SparkConnectService'
const MESSAGE_BYTES_MAX = 128 << 20
const ANSWER_MS_MAX = 120_000
/** A call that may take any time: when it has said nothing for this part of the time for an answer, the server is asked for one. */
const SILENCE_PART = 1 / 4

/**
 * A session on a Spark Connect server: makes calls, one message at a time. Queries that it starts live as long as somebody calls now and
 * then (60 minutes by default). All calls throw `SparkError`, also when the server is gone without a word.
 */
export class SparkSession {
  readonly sessionId: string = randomUUID()
  readonly #client: Client
  readonly #grpc: Grpc
  readonly #protocol: Protocol
  readonly #options: ConnectOptions
  /** With it in a request, a server that was restarted answers with an error, not with an empty session. */
  #serverSession = ''

  private constructor(grpc: Grpc, protocol: Protocol, options: ConnectOptions) {
    const { address, tls } = options
    const credentials = tls ? grpc.credentials.createSsl() : grpc.credentials.createInsecure()
    this.#grpc = grpc
    this.#protocol = protocol
    this.#options = options
    this.#client = new grpc.Client(address, credentials, {
      'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
      // A new session gets a new connection: one whose other end is gone would otherwise be taken again.
      'grpc.use_local_subchannel_pool': 1,
    })
  }

  /** Loads the libraries, which nothing else here needs, and begins a session. Nothing is sent yet. */
  static async open(options: ConnectOptions): Promise<SparkSession> {
    const [grpc, protocol] = await Promise.all([import('@grpc/grpc-js'), loadProtocol()])
    return new SparkSession(grpc, protocol, options)
  }

  /** Version of the server, such as `4.2.0`. */
  async version(): Promise<string> {
    type Version = Reply & { readonly spark_version?: { readonly text?: string } }
    return (await this.#unary<Version>('AnalyzePlan', { spark_version: {} })).spark_version?.text ?? ''
  }

  async configure(settings: Readonly<Record<string, string>>): Promise<void> {
    const pairs = Object.entries(settings).map(([key, value]) => ({ key, value }))
    await this.#unary('Config', { operation: { set: { pairs } } })
  }

  /** Columns that a relation would have. */
  async schema(relation: Relation): Promise<DataType> {
    type Schema = Reply & { readonly schema?: { readonly schema?: DataType } }
    const { schema } = await this.#unary<Schema>('AnalyzePlan', { schema: { plan: { root: relation } } })
    return schema?.schema ?? {}
  }

  /** Rows of a relation that ends: each piece is a stream of Arrow's. */
  async collect(relation: Relation): Promise<Uint8Array[]> {
    const pieces: Uint8Array[] = []
    await this.#execute({ root: relation }, ({ arrow_batch: batch }) => {
      if (batch) pieces.push(batch.data)
    })
    return pieces
  }

  async startStream(stream: WriteStream): Promise<QueryId> {
    let started: QueryId | undefined
    await this.#execute({ command: { write_stream_operation_start: stream } }, (reply) => {
      started ??= reply.write_stream_operation_start_result?.query_id
    })
    if (started) return started
    throw new SparkError({ message: `the query ${stream.query_name} was not started, and Spark does not say why` })
  }

  /** Asks something of a query, or tells it to stop: `{ status: true }`. */
  async askQuery(id: QueryId, question: object): Promise<QueryResult> {
    let result: QueryResult = {}
    await this.#execute({ command: { streaming_query_command: { query_id: id, ...question } } }, (reply) => {
      result = reply.streaming_query_command_result ?? result
    })
    return result
  }

  /** Ends the session, with all of its queries. */
  async release(): Promise<void> {
    await this.#unary('ReleaseSession', {})
  }

  close(): void {
    this.#client.close()
  }

  #execute(plan: object, each: (reply: ExecuteReply) => void): Promise<void> {
    const request = this.#envelope({ plan, operation_id: randomUUID() })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const call = this.#client.makeServerStreamRequest(
      `${SERVICE}/ExecutePlan`,
      (message: object) => this.#protocol.encode('ExecutePlanRequest', message),
      (bytes) => this.#protocol.decode<ExecuteReply>('ExecutePlanResponse', bytes),
      request,
      this.#metadata(),
    )
    call.on('data', (reply: ExecuteReply) => {
      this.#observe(reply)
      each(reply)
    })
    call.on('error', (error: ServiceError) => reject(this.#errorOf(error)))
    call.on('end', resolve)
    const watch = this.#whileServerAnswers((error) => {
      reject(error)
      call.cancel()
    })
    return promise.finally(() => watch.abort())
  }

  /**
   * Asks the server for its version time and again, until aborted; calls `lost` once when it does not answer. Pings of HTTP/2 would not do: a
   * server takes them for an attack when they come more often than every five minutes.
   */
  #whileServerAnswers(lost: (error: unknown) => void): AbortController {
    const over = new AbortController()
    const ask = async (): Promise<void> => {
      for (;;) {
        await sleep(this.#answerMsMax * SILENCE_PART, undefined, { signal: over.signal })
        await this.version()
      }
    }
    ask().catch((error: unknown) => {
      if (!over.signal.aborted) lost(error)
    })
    return over
  }

  get #answerMsMax(): number {
    return this.#options.answerMsMax ?? ANSWER_MS_MAX
  }

  #unary<R extends Reply>(method: string, body: object): Promise<R> {
    const { promise, resolve, reject } = Promise.withResolvers<R>()
    this.#client.makeUnaryRequest(
      `${SERVICE}/${method}`,
      (message: object) => this.#protocol.encode(`${method}Request`, message),
      (bytes) => this.#protocol.decode<R>(`${method}Response`, bytes),
      this.#envelope(body),
      this.#metadata(),
      { deadline: Date.now() + this.#answerMsMax },
      (error, reply) => {
        if (error) return reject(this.#errorOf(error))
        if (reply) this.#observe(reply)
        resolve(reply ?? ({} as R))
      },
    )
    return promise
  }

  #observe(reply: Reply): void {
    this.#serverSession = reply.server_side_session_id || this.#serverSession
  }

  #envelope(body: object): object {
    return {
      session_id: this.sessionId,
      user_context: { user_id: this.#options.userId },
      client_type: 'millrace',
      ...(this.#serverSession !== '' && { client_observed_server_side_session_id: this.#serverSession }),
      ...body,
    }
  }

  #metadata(): Metadata {
    const metadata = new this.#grpc.Metadata()
    const { token } = this.#options
    if (token !== undefined) metadata.set('authorization', `Bearer ${token}`)
    return metadata
  }

  /** The reason of a call that failed travels as google.rpc.ErrorInfo in a binary trailer. */
  #errorOf(error: ServiceError): SparkError {
    const [trailer] = error.metadata?.get('grpc-status-details-bin') ?? []
    const plain: SparkFailure = { message: error.details || error.message, grpcCode: error.code }
    if (!(trailer instanceof Buffer)) return new SparkError(plain)
    type Status = { message?: string; details?: { type_url?: string; value: Uint8Array }[] }
    const status = this.#protocol.decode<Status>('RpcStatus', trailer)
    const info = status.details?.find(({ type_url: url }) => url?.endsWith('google.rpc.ErrorInfo'))
    type Info = { metadata?: Readonly<Record<string, string>> }
    const { metadata = {} } = info ? this.#protocol.decode<Info>('ErrorInfo', info.value) : {}
    const message = status.message || plain.message
    const errorClass = metadata['errorClass'] ?? /^\s*\[([A-Z0-9_.]+)\]/.exec(message)?.[1]
    const sqlState = metadata['sqlState']
    return new SparkError({
      ...plain,
      message,
      ...(errorClass !== undefined && { errorClass }),
      ...(sqlState !== undefined && { sqlState }),
    })
  }
}
