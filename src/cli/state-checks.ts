import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '../base/error.ts'
import { RESULT_STORE } from '../sinks/duckdb/result-store.ts'

/** What a check has found. */
export interface Check {
  readonly name: string
  readonly fine: boolean
  readonly detail: string
  readonly fix: string
  /** State that is there and does not fit, rather than something that is missing. */
  readonly unfitting?: boolean
}

/** Looks at every checkpoint of a home, or at the one that is named, without changing anything. */
export async function checkCheckpoints(home: string, named: string | undefined): Promise<Check[]> {
  const root = join(home, 'checkpoints')
  const folders = named === undefined ? (await namesIn(root)).map((name) => join(root, name)) : [named]
  return Promise.all(folders.map(checkCheckpoint))
}

/** The file that DuckDB sinks write to; none when there is none. A job that has it open is no fault. */
export async function checkResultStore(home: string): Promise<Check[]> {
  const file = join(home, RESULT_STORE)
  if (!existsSync(file)) return []
  const { queryOwnStore } = await import('../sinks/duckdb/duckdb-query.ts')
  return [
    await checked('results', `${file} can be read`, async () => {
      try {
        await queryOwnStore(file, 'select 1', { rowsMax: 1, timeoutMs: 10_000 })
      } catch (error) {
        if (!(error instanceof MillraceError && error.code === 'unavailable')) throw error
      }
    }),
  ]
}

/** The server that PostgreSQL sinks write to, when the environment names one. */
export async function checkPostgres(url: string | undefined): Promise<Check[]> {
  if (url === undefined || url === '') return []
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  const fix = 'start the server, or correct MILLRACE_POSTGRES_URL'
  try {
    await client.connect()
    await client.query('select 1')
    return [{ name: 'postgres', fine: true, detail: `${client.host} answers`, fix }]
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return [{ name: 'postgres', fine: false, detail: detail || 'the server cannot be reached', fix }]
  } finally {
    await client.end().catch(() => {})
  }
}

async function checkCheckpoint(folder: string): Promise<Check> {
  const { viewCheckpoint } = await import('../job/checkpoint-view.ts')
  return checked('checkpoint', `${folder} can be gone on from`, async () => {
    const { snapshots, header, epochs } = await viewCheckpoint(folder)
    if (header || (snapshots.length === 0 && epochs.length === 0)) return
    throw new MillraceError('incompatible-state', `${folder} has no snapshot that can be read`, {
      hint: 'restore it from a backup, or start over with another --checkpoint and another --output',
    })
  })
}

async function checked(name: string, detail: string, look: () => Promise<void>): Promise<Check> {
  try {
    await look()
    return { name, fine: true, detail, fix: '' }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    return { name, fine: false, detail: error.message, fix: error.hint, unfitting: true }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
