import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before } from 'node:test'
import pg from 'pg'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/cli/embedded-postgres.ts'

/** A server for the tests of a file, and databases on it. */
export interface TestPostgres {
  /** Makes an empty database; gives its address. */
  database(): Promise<string>
  /** Runs one statement with a connection of its own; gives the rows. */
  query(url: string, sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>
  readonly server: EmbeddedPostgres
  /** The data of the server stays, the server goes and comes again, at another port. */
  restart(how: 'fast' | 'immediate'): Promise<void>
}

/** Starts a server before the tests of the file, ends it after them. Call it at the top of a suite that requires `postgres`. */
export function testPostgres(options: { durable: boolean } = { durable: false }): TestPostgres {
  let folder = ''
  let server: EmbeddedPostgres | undefined
  let databases = 0
  const started = (): EmbeddedPostgres => {
    if (!server) throw new Error('the server is started before the tests')
    return server
  }
  const query = async (
    url: string,
    sql: string,
    values: readonly unknown[] = [],
  ): Promise<Record<string, unknown>[]> => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(sql, [...values])).rows
    } finally {
      await client.end()
    }
  }
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-postgres-'))
    server = await startEmbeddedPostgres(folder, options)
  })
  after(async () => {
    await server?.stop('immediate')
    await rm(folder, { recursive: true, force: true })
  })
  return {
    get server() {
      return started()
    },
    async database() {
      const name = `test_${++databases}`
      await query(started().url, `create database ${name}`)
      return started().url.replace(/\/postgres$/, `/${name}`)
    },
    query,
    async restart(how) {
      await started().stop(how)
      server = await startEmbeddedPostgres(folder, options)
    },
  }
}
