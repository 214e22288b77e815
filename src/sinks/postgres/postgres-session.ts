import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { MillraceError, systemErrorCode } from '../../base/error.ts'
import type { PostgresTarget } from './postgres-target.ts'

/** How long a statement waits for somebody else's lock. */
const LOCK_TIMEOUT_MS = 5_000
const APPLICATION_NAME_BYTES_MAX = 63
/** How long a server may take to say goodbye. */
const CLOSE_TIMEOUT_MS = 5_000

/** One connection to the server, made when it is needed and made again when it broke. */
export class PostgresSession {
  readonly #target: PostgresTarget
  #client: pg.Client | undefined
  #name = 'millrace'

  constructor(target: PostgresTarget) {
    this.#target = target
  }

  /** Sessions made from now on carry this name, by which others find and end them. */
  setName(name: string): void {
    this.#name = name
  }

  /** Runs `use` on the connection. Errors come out as `MillraceError`; after one that breaks the connection the next call makes a new one. */
  async run<T>(use: (client: pg.Client) => Promise<T>): Promise<T> {
    try {
      const client = this.#client ?? (await this.#connect())
      return await use(client)
    } catch (error) {
      if (breaksConnection(error)) await this.#drop()
      throw asMillraceError(error, this.#target.shown)
    }
  }

  /** Runs `use` in a transaction. When it throws, nothing has happened, unless the connection broke while the transaction was ending. */
  async transaction<T>(use: (client: pg.Client) => Promise<T>): Promise<T> {
    return this.run(async (client) => {
      await client.query('begin')
      try {
        const result = await use(client)
        await client.query('commit')
        return result
      } catch (error) {
        if (!breaksConnection(error)) await client.query('rollback').catch(() => this.#drop())
        throw error
      }
    })
  }

  async close(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    if (!client) return
    const waiting = new AbortController()
    const late = sleep(CLOSE_TIMEOUT_MS, true, { signal: waiting.signal }).catch(() => false)
    const ended = client.end().then(
      () => false,
      () => false,
    )
    if (await Promise.race([ended, late])) destroy(client)
    waiting.abort()
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ ...this.#target.config, application_name: this.#name })
    // A connection that breaks while nobody uses it must not end the process.
    client.on('error', () => {
      if (this.#client === client) this.#client = undefined
    })
    await client.connect()
    await client.query(`set lock_timeout = ${LOCK_TIMEOUT_MS}`)
    await client.query("set timezone = 'UTC'")
    await client.query("set datestyle = 'ISO, MDY'")
    this.#client = client
    return client
  }

  /** Not closed politely: the server may be gone, and nobody waits for that. */
  async #drop(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    if (client) destroy(client)
  }
}

function destroy(client: pg.Client): void {
  const stream = (client as unknown as { connection?: { stream?: { destroy(): void } } }).connection?.stream
  stream?.destroy()
}

/** What the sessions of a sink are called, but for the fence at the end. */
export function sessionPrefix(pipeline: string, sink: string): string {
  const plain = `millrace/${pipeline}/${sink}/`
  if (/^[\x20-\x7e]*$/.test(plain) && plain.length <= APPLICATION_NAME_BYTES_MAX - 16) return plain
  return `millrace/${createHash('sha256').update(plain).digest('hex').slice(0, 32)}/`
}

/** SQLSTATE of an error from the server, else undefined. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

function breaksConnection(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return /^(08|57P)/.test(state)
  return error instanceof Error && !(error instanceof MillraceError)
}

/** Serialisation, deadlock, locks, connection, resources, shutting down, a standby: what another attempt may get over. */
const RETRYABLE = /^(08|40|53|55P03|57014|57P0|58030|25006)/
const REFUSED_LOGIN = /^(28|3D000|42501|0A000)/
const UNTRUSTED = /^(ERR_TLS|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_)|does not support SSL/
const NETWORK_ERRORS = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']

function asMillraceError(error: unknown, shown: string): Error {
  if (error instanceof MillraceError) return error
  if (!(error instanceof Error)) return new Error(String(error))
  const state = sqlState(error)
  const message = `${shown}: ${error.message}${state === undefined ? '' : ` (${state})`}`
  if (state === undefined && UNTRUSTED.test(`${systemErrorCode(error)} ${error.message}`)) {
    return new MillraceError('invalid-option', message, {
      hint: "name the certificate of the server's authority in sslrootcert, and the server as its certificate does",
      cause: error,
    })
  }
  if (state === undefined) {
    const network = NETWORK_ERRORS.includes(systemErrorCode(error) ?? '') || error instanceof AggregateError
    if (!network && !/terminat|timeout|closed|not queryable|ended/i.test(error.message)) return error
    const why = error.message === '' ? (systemErrorCode(error) ?? 'no connection') : error.message
    return new MillraceError('unavailable', `${shown}: ${why}`, {
      hint: 'start the server, or correct its address in DATABASE_URL',
      cause: error,
    })
  }
  if (RETRYABLE.test(state)) {
    return new MillraceError('unavailable', message, { hint: 'look at the log of the server', cause: error })
  }
  if (REFUSED_LOGIN.test(state)) {
    const hint = 'check user, password and database in DATABASE_URL, and what the user may do'
    return new MillraceError('invalid-option', message, { hint, cause: error })
  }
  return new MillraceError('incompatible-state', message, {
    hint: 'the tables are not as the sink made them: bring them back, or name another table',
    cause: error,
  })
}
