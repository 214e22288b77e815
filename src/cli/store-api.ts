import { randomBytes } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { MillraceError } from '../base/error.ts'
import type { Job } from '../job/job.ts'
import type { PipelinePlan } from '../plan/node.ts'
import type { AskStore } from '../server/query-route.ts'
import { RESULT_STORE } from '../sinks/duckdb/result-store.ts'

/** Rows and time of a question when nothing else is asked for. */
export const QUERY_LIMITS = { rowsMax: 10_000, timeoutMs: 30_000 } as const

/** How other processes reach a result store while this one has it. */
export interface StoreApi {
  /** For a server that is there anyway. */
  readonly ask: AskStore
  /** Tells other processes of this user where that server is. */
  announce(url: string, token: string | undefined): Promise<void>
  close(): Promise<void>
}

/** The API of the store that a plan's DuckDB sinks write to; undefined when it has none. The store has to be made before the job. */
export async function openStoreApi(plan: PipelinePlan, homeFolder: string): Promise<StoreApi | undefined> {
  const sinks = plan.queries.flatMap((query) => query.sinks)
  const duckdb = sinks.find((sink) => sink.kind === 'duckdb')
  if (duckdb?.kind !== 'duckdb') return undefined
  const { DuckDbStore } = await import('../sinks/duckdb/duckdb-store.ts')
  const { queryOwnStore } = await import('../sinks/duckdb/duckdb-query.ts')
  const file = storeFile(duckdb.file, homeFolder)
  const store = DuckDbStore.use(file)
  store.allow(sinks.flatMap((sink) => ('path' in sink ? [resolve(sink.path)] : [])))
  const announced = announcementOf(file)
  return {
    ask: (sql) => queryOwnStore(file, sql, QUERY_LIMITS),
    async announce(url, token) {
      await rm(announced, { force: true })
      await writeFile(announced, `${JSON.stringify({ url, token, pid: process.pid })}\n`, { mode: 0o600, flag: 'wx' })
    },
    async close() {
      await rm(announced, { force: true })
      await store.release()
    },
  }
}

/** For a run that shows no page: a server on a free port of this machine, open to whoever can read the file that announces it. */
export async function serveStore(api: StoreApi, job: Job): Promise<{ close(): Promise<void> }> {
  const { startServer } = await import('../server/server.ts')
  const token = randomBytes(24).toString('base64url')
  const server = await startServer({ feed: job, webRoot: '', port: 0, token, ask: api.ask })
  await api.announce(server.url, token)
  return server
}

/** Asks the process that has the store. Undefined when nobody has announced that it does. */
export async function askOwner(file: string, sql: string): Promise<unknown> {
  const text = await readFile(announcementOf(file), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const { url, token } = JSON.parse(text) as { url: string; token?: string }
  let response: Response
  try {
    response = await fetch(`${url}/api/query`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ sql }),
    })
  } catch {
    // It was killed and could not take its announcement back.
    return undefined
  }
  const answer = (await response.json()) as { error?: { message: string; hint: string } }
  if (response.ok) return answer
  throw new MillraceError('invalid-option', answer.error?.message ?? `${url} answered ${response.status}`, {
    hint: answer.error?.hint ?? 'stop the job that has the store, then ask again',
  })
}

/** The store that a sink or a question means. */
export function storeFile(file: string | undefined, homeFolder: string): string {
  return file === undefined ? join(homeFolder, RESULT_STORE) : resolve(file)
}

function announcementOf(file: string): string {
  return `${file}.api.json`
}
