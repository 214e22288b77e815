import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { testPostgres } from '../../../test/support/postgres.ts'
import { requirement } from '../../../test/support/requirement.ts'
import { PostgresSession } from './postgres-session.ts'
import { postgresTarget } from './postgres-target.ts'

describe('a session with PostgreSQL', requirement('postgres'), () => {
  const postgres = testPostgres()

  test('ends although the server does not say goodbye', async (t) => {
    const session = new PostgresSession(postgresTarget(await postgres.database(), {}))
    const { rows } = await session.run((client) => client.query<{ pid: number }>('select pg_backend_pid() as pid'))
    const pid = rows[0]?.pid
    assert.ok(pid)
    process.kill(pid, 'SIGSTOP')
    t.after(() => process.kill(pid, 'SIGCONT'))
    await session.close()
    await session.close()
  })
})
