import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import pg from 'pg'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/cli/embedded-postgres.ts'

/** A server for the tests of a file, and databases on it. */
export interface TestPostgres {
  /** Makes an empty database; gives its address. */
  database(): Promise<string>
  /** Runs one statement with a connection of its own; gives the rows. */
  query(url: string, sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>
}

/** A server that starts with the first database that a test asks for, and ends after the tests of the file. */
export function testPostgres(): TestPostgres {
  let folder: string | undefined
  let starting: Promise<EmbeddedPostgres> | undefined
  let databases = 0
  const start = async (): Promise<EmbeddedPostgres> => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-postgres-'))
    return startEmbeddedPostgres(folder, { durable: false })
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
  after(async () => {
    await (await starting)?.stop('immediate')
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  })
  return {
    async database() {
      starting ??= start()
      const { url } = await starting
      const name = `test_${++databases}`
      await query(url, `create database ${name}`)
      return url.replace(/\/postgres$/, `/${name}`)
    },
    query,
  }
}
