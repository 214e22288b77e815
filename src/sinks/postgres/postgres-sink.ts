import { join } from 'node:path'
import type { Client } from 'pg'
import { assert } from '../../base/assert.ts'
import { MillraceError } from '../../base/error.ts'
import { failpoint } from '../../base/failpoint.ts'
import { quoted } from '../../base/sql-name.ts'
import type { ResultBatch } from '../../batch/result-batch.ts'
import type { PostgresSinkSpec } from '../../plan/connectors.ts'
import { Outbox } from '../outbox.ts'
import type { PreparedOutput, Sink, SinkContext, SinkEpoch, SinkProgress, SinkStart } from '../sink.ts'
import { TableLayout } from '../table-layout.ts'
import { checkOwner, type Mark, newerFence, whyNotMoved } from '../table-mark.ts'
import { writeRows } from './postgres-rows.ts'
import { PostgresSession, sessionPrefix } from './postgres-session.ts'
import { type PostgresTable, PROGRESS_TABLE, setUpTables, tableExists } from './postgres-tables.ts'
import { postgresTarget } from './postgres-target.ts'

/**
 * A table of PostgreSQL, exactly once. Rows wait in the outbox until their epoch is certain; then one transaction moves the sink's mark
 * in `millrace_progress` from the epoch before to this one and writes the rows. The mark moves only for the process with the newest
 * fence, and only from the epoch before: whatever dies when, each epoch is in the table once, or will be.
 */
export async function postgresSink(spec: PostgresSinkSpec, context: SinkContext): Promise<Sink> {
  return new PostgresSink(spec, context)
}

class PostgresSink implements Sink {
  readonly name: string
  readonly target: string
  readonly view = false
  readonly marksEveryEpoch = true
  readonly #spec: PostgresSinkSpec
  readonly #context: SinkContext
  readonly #schema: string
  readonly #outbox: Outbox
  readonly #session: PostgresSession
  readonly #prefix: string
  readonly #layout: TableLayout
  readonly #owner: string
  #table: PostgresTable | undefined
  #fence = 0

  constructor(spec: PostgresSinkSpec, context: SinkContext) {
    const { name, pipeline, outboxFolder } = context
    const target = postgresTarget(spec.url, context.env ?? {})
    this.name = name
    this.target = `${target.shown} ${spec.schema ?? 'public'}.${spec.table}`
    this.#owner = context.runId ?? context.owner
    this.#spec = spec
    this.#context = context
    this.#schema = spec.schema ?? 'public'
    this.#layout = new TableLayout(spec, context)
    this.#outbox = new Outbox(outboxFolder && join(outboxFolder, name), context.fileSystem)
    this.#session = new PostgresSession(target)
    this.#prefix = sessionPrefix(pipeline, name)
  }

  async progress(): Promise<SinkProgress | undefined> {
    const mark = await this.#session.run((client) => this.#mark(client))
    if (mark) checkOwner(this, mark, this.#owner)
    return mark
  }

  async open(fence: number, start: SinkStart = { epoch: 0, reset: false }): Promise<SinkProgress | undefined> {
    this.#fence = fence
    // The connection of `progress` bears no fence yet.
    await this.#session.close()
    this.#session.setName(`${this.#prefix}${fence}`)
    return this.#session.transaction(async (client) => {
      await this.#endOlderSessions(client)
      this.#table = await setUpTables(client, {
        schema: this.#schema,
        table: this.#spec.table,
        fields: this.#layout.fields,
        key: this.#layout.key,
        latest: this.#spec.latest,
      })
      const before = await this.#mark(client, 'for update')
      if (before && !start.reset) {
        checkOwner(this, before, this.#owner)
        if (before.fence > fence) throw newerFence(this.target, before.fence, fence)
      }
      const goesOn = before && !start.reset && before.owner === this.#owner
      const mark = goesOn ? before : { epoch: start.epoch, hash: '' }
      await client.query(
        `insert into ${this.#progressTable} (pipeline, sink, owner, epoch, fence, hash) values ($1, $2, $3, $4, $5, $6)
         on conflict (pipeline, sink) do update set owner = excluded.owner, epoch = excluded.epoch, fence = excluded.fence, hash = excluded.hash`,
        [this.#context.pipeline, this.name, this.#owner, mark.epoch, fence, mark.hash],
      )
      return goesOn ? before : undefined
    })
  }

  prepare(at: SinkEpoch, rows: ResultBatch): Promise<PreparedOutput> {
    return this.#outbox.prepare(at, this.#layout.rowsOf(rows))
  }

  async commit(at: SinkEpoch, prepared: PreparedOutput): Promise<void> {
    const rows = await this.#outbox.read(prepared).catch(async (error: unknown) => {
      // What is committed already needs no outbox any more.
      if (await this.#session.run((client) => this.#done(client, at))) return undefined
      throw error
    })
    if (rows === undefined) return
    await this.#session.transaction(async (client) => {
      const table = this.#table
      assert(table, 'a sink is opened before it commits')
      const moved = await client.query(
        `update ${this.#progressTable} set epoch = $4, hash = $5, committed_at = now()
         where pipeline = $1 and sink = $2 and owner = $3 and fence = $6 and epoch = $7`,
        [this.#context.pipeline, this.name, this.#owner, at.epoch, at.hash, this.#fence, at.previous],
      )
      if (moved.rowCount === 0) {
        if (await this.#done(client, at)) return
        throw new MillraceError('unavailable', `the mark of ${this.target} has just moved`, { hint: 'try again' })
      }
      failpoint('postgres:after-mark')
      await writeRows(client, table, rows, { pipeline: this.#context.pipeline, sink: this.name, epoch: at.epoch })
      failpoint('postgres:before-commit')
    })
    failpoint('postgres:after-commit')
  }

  forget(epoch: number): Promise<void> {
    return this.#outbox.forget(epoch)
  }

  close(): Promise<void> {
    return this.#session.close()
  }

  get #progressTable(): string {
    return quoted(this.#schema, PROGRESS_TABLE)
  }

  async #mark(client: Client, lock: '' | 'for update' = ''): Promise<Mark | undefined> {
    if (!(await tableExists(client, this.#schema, PROGRESS_TABLE))) return undefined
    const { rows } = await client.query<{ owner: string; epoch: string; fence: string; hash: string }>(
      `select owner, epoch, fence, hash from ${this.#progressTable} where pipeline = $1 and sink = $2 ${lock}`,
      [this.#context.pipeline, this.name],
    )
    const row = rows[0]
    return row && { owner: row.owner, epoch: Number(row.epoch), fence: Number(row.fence), hash: row.hash }
  }

  async #done(client: Client, at: SinkEpoch): Promise<boolean> {
    const mark = await this.#mark(client)
    return whyNotMoved(this, mark, { owner: this.#owner, fence: this.#fence }, at) === 'done'
  }

  /** A stale process may still hold a transaction open; what it sends from now on must find its session gone. */
  async #endOlderSessions(client: Client): Promise<void> {
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
         and starts_with(application_name, $1) and substr(application_name, length($1) + 1) ~ '^[0-9]{1,15}$'
         and case when substr(application_name, length($1) + 1) ~ '^[0-9]{1,15}$'
                  then substr(application_name, length($1) + 1)::bigint <= $2 else false end`,
      [this.#prefix, this.#fence],
    )
  }
}
