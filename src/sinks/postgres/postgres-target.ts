import { readFileSync } from 'node:fs'
import type { ClientConfig } from 'pg'
import { MillraceError } from '../../base/error.ts'
import { keepSecret } from '../../base/redact.ts'

/** Which server and database to write to. */
export interface PostgresTarget {
  readonly config: ClientConfig
  /** The address for people: without the password. */
  readonly shown: string
}

const CONNECT_TIMEOUT_MS = 10_000
/** A server that says nothing for so long is taken for gone. */
const QUERY_TIMEOUT_MS = 120_000

/**
 * The server that the option names, else MILLRACE_POSTGRES_URL, else DATABASE_URL, else the one that DB_USER, DB_PASSWORD, DB_NAME
 * (DB_HOST, DB_PORT) describe. `sslmode` is `disable`, `require` (the certificate must be one that this machine trusts) or `verify-full`,
 * and `sslrootcert` names the authority's file; with a certificate it is always `verify-full`. PGPASSWORD serves an address without password.
 */
export function postgresTarget(option: string | undefined, env: NodeJS.ProcessEnv): PostgresTarget {
  const text = option ?? urlIn(env)
  if (text === undefined) {
    throw new MillraceError('invalid-option', 'no PostgreSQL server is named', {
      hint: 'set DATABASE_URL=postgres://user:password@host/database, or DB_USER, DB_PASSWORD and DB_NAME',
    })
  }
  const url = parseUrl(text)
  const password = decodeURIComponent(url.password) || env['PGPASSWORD'] || env['DB_PASSWORD']
  if (password !== undefined && password !== '') keepSecret(password)
  const database = decodeURIComponent(url.pathname.slice(1))
  const user = decodeURIComponent(url.username) || env['DB_USER'] || env['PGUSER'] || 'postgres'
  const host = url.hostname === '' ? 'localhost' : url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? 5432 : Number(url.port)
  const ssl = tls(url, env)
  return {
    shown: `postgres://${user}@${url.hostname || 'localhost'}:${port}/${database || user}`,
    config: {
      host,
      port,
      user,
      database: database || user,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      keepAlive: true,
      ssl,
      ...(password === undefined ? {} : { password }),
    },
  }
}

/** Whether the environment names a server. */
export function namesPostgres(env: NodeJS.ProcessEnv): boolean {
  return urlIn(env) !== undefined
}

function urlIn(env: NodeJS.ProcessEnv): string | undefined {
  return env['MILLRACE_POSTGRES_URL'] ?? env['DATABASE_URL'] ?? urlOfParts(env)
}

function urlOfParts(env: NodeJS.ProcessEnv): string | undefined {
  const name = env['DB_NAME']
  if (name === undefined) return undefined
  const at = `${env['DB_HOST'] ?? 'localhost'}:${env['DB_PORT'] ?? '5432'}`
  const user = encodeURIComponent(env['DB_USER'] ?? 'postgres')
  return `postgres://${user}:${encodeURIComponent(env['DB_PASSWORD'] ?? '')}@${at}/${encodeURIComponent(name)}`
}

/** The text itself is never repeated in an error: it may hold a password. */
function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && /^postgres(ql)?:$/.test(url.protocol)) return url
  throw new MillraceError('invalid-option', 'the address of the PostgreSQL server cannot be read', {
    hint: 'write postgres://user:password@host:5432/database, with special characters as %XX',
  })
}

function tls(url: URL, env: NodeJS.ProcessEnv): NonNullable<ClientConfig['ssl']> {
  const mode = url.searchParams.get('sslmode') ?? env['PGSSLMODE'] ?? undefined
  const certificate = url.searchParams.get('sslrootcert') ?? env['PGSSLROOTCERT'] ?? undefined
  if (certificate !== undefined && mode !== 'disable') {
    try {
      return { ca: readFileSync(certificate, 'utf8'), rejectUnauthorized: true }
    } catch (error) {
      throw new MillraceError('invalid-option', `the certificate ${certificate} cannot be read`, {
        hint: 'name a PEM file in sslrootcert',
        cause: error,
      })
    }
  }
  if (mode === undefined || mode === 'disable') return false
  if (['require', 'verify-ca', 'verify-full'].includes(mode)) return { rejectUnauthorized: true }
  throw new MillraceError('invalid-option', `sslmode is "${mode}"`, {
    hint: 'use disable, require or verify-full; an encrypted connection is always verified',
  })
}
