import { join, resolve } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { assert } from '../../base/assert.ts'
import { failpoint } from '../../base/failpoint.ts'
import type { ResultBatch } from '../../batch/result-batch.ts'
import type { DuckDbSinkSpec } from '../../plan/connectors.ts'
import { mergedByKey, Outbox } from '../outbox.ts'
import type { PreparedOutput, Sink, SinkContext, SinkEpoch, SinkProgress, SinkStart } from '../sink.ts'
import { TableLayout } from '../table-layout.ts'
import { checkOwner, type Mark, newerFence, whyNotMoved } from '../table-mark.ts'
import { DuckDbStore } from './duckdb-store.ts'
import { type DuckDbTable, mergeRows, setUpTable, stageRows } from './duckdb-table.ts'
import { RESULT_STORE } from './result-store.ts'

/**
 * A table of the embedded result store, exactly once, as the PostgreSQL sink does it: rows wait in the outbox until their epoch is certain,
 * then one transaction moves the mark and writes them. DuckDB's lock on the file keeps every other process out.
 */
export async function duckdbSink(spec: DuckDbSinkSpec, context: SinkContext): Promise<Sink> {
  return new DuckDbSink(spec, context)
}

class DuckDbSink implements Sink {
  readonly name: string
  readonly target: string
  readonly view = false
  readonly marksEveryEpoch = true
  readonly #spec: DuckDbSinkSpec
  readonly #context: SinkContext
  readonly #owner: string
  readonly #store: DuckDbStore
  readonly #outbox: Outbox
  readonly #layout: TableLayout
  #table: DuckDbTable | undefined
  #fence = 0
  #closed = false

  constructor(spec: DuckDbSinkSpec, context: SinkContext) {
    const { name, outboxFolder, homeFolder, workingFolder } = context
    const file =
      spec.file === undefined ? join(homeFolder ?? workingFolder, RESULT_STORE) : resolve(workingFolder, spec.file)
    this.name = name
    this.target = `${file} ${spec.table}`
    this.#spec = spec
    this.#context = context
    this.#layout = new TableLayout(spec, context)
    this.#owner = context.runId ?? context.owner
    this.#store = DuckDbStore.use(file)
    this.#outbox = new Outbox(outboxFolder && join(outboxFolder, name), context.fileSystem)
  }

  async progress(): Promise<SinkProgress | undefined> {
    if (!(await this.#store.exists())) return undefined
    const mark = await this.#run((connection) => this.#mark(connection))
    if (mark) checkOwner(this, mark, this.#owner)
    return mark
  }

  async open(fence: number, start: SinkStart = { epoch: 0, reset: false }): Promise<SinkProgress | undefined> {
    this.#fence = fence
    return this.#transaction(async (connection) => {
      this.#table = await setUpTable(connection, {
        table: this.#spec.table,
        fields: this.#layout.fields,
        key: this.#layout.key,
      })
      const before = await this.#mark(connection)
      if (before && !start.reset) checkOwner(this, before, this.#owner)
      const goesOn = before && !start.reset && before.owner === this.#owner
      if (goesOn && before.fence > fence) throw newerFence(this.target, before.fence, fence)
      const mark = goesOn ? before : { epoch: start.epoch, hash: '' }
      const { pipeline } = this.#context
      await connection.run('delete from millrace_progress where pipeline = $1 and sink = $2', [pipeline, this.name])
      await connection.run('insert into millrace_progress values ($1, $2, $3, $4, $5, $6, now())', [
        pipeline,
        this.name,
        this.#owner,
        mark.epoch,
        fence,
        mark.hash,
      ])
      return goesOn ? before : undefined
    })
  }

  prepare(at: SinkEpoch, rows: ResultBatch): Promise<PreparedOutput> {
    return this.#outbox.prepare(at, this.#layout.rowsOf(rows))
  }

  async commit(at: SinkEpoch, prepared: PreparedOutput): Promise<void> {
    const table = this.#table
    assert(table, 'a sink is opened before it commits')
    const { pipeline } = this.#context
    const done = await this.#run(async (connection) => this.#done(connection, at))
    if (done) return
    const key = table.keyIndexes
    const rows = mergedByKey(await this.#outbox.read(prepared), key)
    await this.#transaction(
      async (connection) => {
        if (await this.#done(connection, at)) return
        await connection.run(
          'update millrace_progress set epoch = $3, hash = $4, committed_at = now() where pipeline = $1 and sink = $2',
          [pipeline, this.name, at.epoch, at.hash],
        )
        failpoint('duckdb:after-mark')
        if (rows.length > 0) await mergeRows(connection, table, { pipeline, sink: this.name, epoch: at.epoch })
        failpoint('duckdb:before-commit')
      },
      (connection) => (rows.length > 0 ? stageRows(connection, table, rows) : Promise.resolve()),
    )
    failpoint('duckdb:after-commit')
  }

  forget(epoch: number): Promise<void> {
    return this.#outbox.forget(epoch)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#store.release()
  }

  get #self(): { readonly owner: string; readonly fence: number } {
    return { owner: this.#owner, fence: this.#fence }
  }

  /** On a connection of its own, in turn with all other writers. */
  async #run<T>(use: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    return this.#store.exclusively(async () => {
      const connection = await this.#store.connect()
      try {
        return await use(connection)
      } finally {
        connection.closeSync()
      }
    })
  }

  /** `stage` comes before the transaction, on the same connection. */
  #transaction<T>(
    use: (connection: DuckDBConnection) => Promise<T>,
    stage: (connection: DuckDBConnection) => Promise<void> = async () => {},
  ): Promise<T> {
    return this.#run(async (connection) => {
      await stage(connection)
      await connection.run('begin')
      try {
        const result = await use(connection)
        await connection.run('commit')
        return result
      } catch (error) {
        await connection.run('rollback').catch(() => {})
        throw error
      }
    })
  }

  async #done(connection: DuckDBConnection, at: SinkEpoch): Promise<boolean> {
    const mark = await this.#mark(connection)
    return whyNotMoved(this, mark, this.#self, at) === 'done'
  }

  async #mark(connection: DuckDBConnection): Promise<Mark | undefined> {
    const there = await connection.runAndReadAll(
      `select 1 from duckdb_tables() where schema_name = 'main' and table_name = 'millrace_progress'`,
    )
    if (there.currentRowCount === 0) return undefined
    const { pipeline } = this.#context
    const found = await connection.runAndReadAll(
      'select owner, epoch, fence, hash from millrace_progress where pipeline = $1 and sink = $2',
      [pipeline, this.name],
    )
    const row = found.getRows()[0]
    if (!row) return undefined
    return { owner: String(row[0]), epoch: Number(row[1]), fence: Number(row[2]), hash: String(row[3]) }
  }
}
