import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../base/error.ts'
import { type ConnectOptions, type QueryId, SparkSession } from './connect.ts'
import { assertOwnPlaces } from './places.ts'
import { type BatchProgress, parseProgress } from './progress.ts'
import { SparkError } from './spark-error.ts'
import type { SparkQuery } from './write-stream.ts'

/** How a run on Spark is watched. */
export interface WatchSettings {
  readonly connect: ConnectOptions
  /** Partitions of each query's state; belongs to a checkpoint from its first start on. */
  readonly shufflePartitions: number
  /** Time between looks at the queries, ms. It also tells the server that somebody is there. */
  readonly pollMs: number
  /** How often a query may fail between two micro-batches that succeed. */
  readonly restartsMax: number
  /** How long a server may be away, ms. */
  readonly patienceMs: number
}

/** Where a query stands. */
export interface QueryState {
  readonly name: string
  /** `lost`: its server is away, or it is about to be started again. */
  readonly state: 'starting' | 'running' | 'lost' | 'ended'
  /** Starts after the first. */
  readonly restarts: number
  readonly progress: BatchProgress | undefined
}

/** Asked for by whoever watches a run. */
export type Tell = (text: string) => void

const NEEDED_VERSION = 4
const BACK_OFF_MS_MAX = 10_000
const PROGRESS_ENTRIES = '10000'

/**
 * Runs the queries of a pipeline on Spark until they have ended (those that take what there is), one fails for good, or `stop`. A server or a
 * session that is lost is waited for, and every query started again from its checkpoint: files get each row once.
 */
export class SparkRun {
  readonly #settings: WatchSettings
  readonly #watched: Watched[]
  readonly #tell: Tell
  readonly #stopping = new AbortController()
  #session: SparkSession | undefined
  /** Since when, and how often in a row, nothing could be done with the server. */
  #loss: { readonly sinceMs: number; readonly attempts: number } | undefined

  constructor(queries: readonly SparkQuery[], settings: WatchSettings, tell: Tell) {
    this.#settings = settings
    this.#tell = tell
    this.#watched = queries.map((query) => new Watched(query))
  }

  /** Where the queries stand now. */
  states(): QueryState[] {
    return this.#watched.map((one) => one.snapshot())
  }

  /** Progress of each micro-batch that a query has made since it was started last; only while its server is there. */
  async batches(name: string): Promise<BatchProgress[]> {
    const id = this.#watched.find(({ query }) => query.name === name)?.id
    if (!id || !this.#session) return []
    const { recent_progress: recent } = await this.#session.askQuery(id, { recent_progress: true })
    return (recent?.recent_progress_json ?? []).map(parseProgress)
  }

  /** Resolves when all queries have ended, or have been stopped. */
  async run(): Promise<void> {
    await this.#whileServerIsThere(async (session) => {
      for (const one of this.#watched) if (!one.ended) await this.#start(session, one)
      if (!this.#loss) this.#tell(`${this.#watched.map(({ query }) => query.name).join(', ')}: running on Spark`)
      while (this.#watched.some(({ ended }) => !ended) && !this.#stopping.signal.aborted) {
        await this.#pause(this.#settings.pollMs)
        for (const one of this.#watched) if (!one.ended) await this.#look(session, one)
        this.#found()
      }
    })
    if (this.#stopping.signal.aborted) await this.#stopQueries()
  }

  /** Ends the queries after the micro-batches that they are at; `run` resolves then. */
  stop(): void {
    this.#stopping.abort()
  }

  /** Ends the session. */
  async close(): Promise<void> {
    await this.#session?.release().catch(() => {})
    this.#session?.close()
    this.#session = undefined
  }

  /** Works on a session; on a new one when it is lost, as long as patience lasts. */
  async #whileServerIsThere(work: (session: SparkSession) => Promise<void>): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await work(await this.#open())
        return
      } catch (error) {
        if (!(error instanceof SparkError) || error.loss === 'nothing') throw error
        const { sinceMs, attempts } = this.#loss ?? { sinceMs: Date.now(), attempts: 0 }
        if (Date.now() - sinceMs > this.#settings.patienceMs) throw error
        if (attempts === 0) this.#tell(`${error.message}; trying again`)
        this.#loss = { sinceMs, attempts: attempts + 1 }
        this.#session?.close()
        this.#session = undefined
        for (const one of this.#watched) one.lose()
        await this.#pause(Math.min(BACK_OFF_MS_MAX, 250 * 2 ** attempts))
      }
    }
  }

  /** Every query has been asked and has answered: only that ends a loss, not a server that lets itself be opened and fails again. */
  #found(): void {
    if (this.#loss) this.#tell('Spark is there again')
    this.#loss = undefined
  }

  async #open(): Promise<SparkSession> {
    const session = await SparkSession.open(this.#settings.connect)
    this.#session = session
    const version = await session.version()
    if (Number.parseInt(version, 10) < NEEDED_VERSION) {
      throw new MillraceError('unsupported', `the server is Spark ${version}`, {
        hint: 'documents are read as VARIANT, which Spark has from 4.0 on',
      })
    }
    await session.configure(sessionSettings(this.#settings.shufflePartitions))
    return session
  }

  async #start(session: SparkSession, one: Watched): Promise<void> {
    await assertOwnPlaces(session, one.query)
    one.started(await session.startStream(one.query.stream))
  }

  async #look(session: SparkSession, one: Watched): Promise<void> {
    const { id } = one
    if (!id) return
    const { status } = await session.askQuery(id, { status: true })
    one.note(await lastProgress(session, id))
    if (status?.is_active) return
    const { exception } = await session.askQuery(id, { exception: true })
    const message = exception?.exception_message ?? ''
    if (message !== '') return this.#restart(session, one, message, exception?.error_class)
    if (!one.query.stream.available_now) throw takenOver(one.query.name)
    one.end()
  }

  async #restart(session: SparkSession, one: Watched, message: string, errorClass?: string): Promise<void> {
    const failed = new SparkError({ message, ...(errorClass !== undefined && { errorClass }) })
    if (failed.loss !== 'query' || one.failures >= this.#settings.restartsMax) throw failed
    this.#tell(`${one.query.name}: ${failed.message}; starting it again`)
    one.fail()
    await this.#pause(Math.min(BACK_OFF_MS_MAX, 250 * 2 ** one.failures))
    await this.#start(session, one)
  }

  async #stopQueries(): Promise<void> {
    for (const one of this.#watched) {
      if (!one.id || one.ended) continue
      // A server that does not answer has not said that the query ends: what is shown of it stays as it was seen last.
      const asked = await this.#session?.askQuery(one.id, { stop: true }).catch(() => undefined)
      if (asked) one.end()
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => {})
  }
}

/** A query, and what is known of it. */
class Watched {
  readonly query: SparkQuery
  id: QueryId | undefined
  ended = false
  /** Failures since the last micro-batch that succeeded. */
  failures = 0
  #state: QueryState['state'] = 'starting'
  #starts = 0
  #progress: BatchProgress | undefined

  constructor(query: SparkQuery) {
    this.query = query
  }

  started(id: QueryId): void {
    this.id = id
    this.#starts++
    this.#state = 'running'
  }

  note(progress: BatchProgress | undefined): void {
    if (!progress) return
    if (progress.batchId !== this.#progress?.batchId) this.failures = 0
    this.#progress = progress
  }

  fail(): void {
    this.failures++
    this.#state = 'lost'
  }

  lose(): void {
    if (!this.ended) this.#state = 'lost'
  }

  end(): void {
    this.ended = true
    this.#state = 'ended'
  }

  snapshot(): QueryState {
    const restarts = Math.max(0, this.#starts - 1)
    return { name: this.query.name, state: this.#state, restarts, progress: this.#progress }
  }
}

async function lastProgress(session: SparkSession, id: QueryId): Promise<BatchProgress | undefined> {
  const { recent_progress: recent } = await session.askQuery(id, { last_progress: true })
  const [json] = recent?.recent_progress_json ?? []
  return json === undefined ? undefined : parseProgress(json)
}

/** What the SQL texts and the checkpoints count on, however the cluster is set. Some of these a checkpoint keeps from its first start on. */
export function sessionSettings(shufflePartitions: number): Record<string, string> {
  return {
    'spark.sql.session.timeZone': 'UTC',
    'spark.sql.caseSensitive': 'true',
    'spark.sql.ansi.enabled': 'true',
    'spark.sql.ansi.doubleQuotedIdentifiers': 'false',
    'spark.sql.parser.escapedStringLiterals': 'false',
    // A text such as ${env:HOME} would become what the server has there.
    'spark.sql.variable.substitute': 'false',
    // An event is not refused for a member that comes twice, wherever in it.
    'spark.sql.variant.allowDuplicateKeys': 'true',
    'spark.sql.shuffle.partitions': String(shufflePartitions),
    'spark.sql.parquet.outputTimestampType': 'TIMESTAMP_MILLIS',
    'spark.sql.streaming.stateStore.providerClass':
      'org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider',
    'spark.sql.streaming.numRecentProgressUpdates': PROGRESS_ENTRIES,
    // The relay goes by what each micro-batch has written, however late it comes.
    'spark.sql.streaming.fileSink.log.deletion': 'false',
  }
}

/** Spark fences like this: a second start on a checkpoint stops the first without an error. */
function takenOver(name: string): MillraceError {
  return new MillraceError('incompatible-state', `${name} was stopped, and not from here`, {
    hint: 'somebody else runs it on this server: let it be, or stop that one first',
  })
}
