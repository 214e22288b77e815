import pg from 'pg'
import { MillraceError } from '../base/error.ts'
import { quoted } from '../base/sql-name.ts'
import { REJECTED_TABLE, tableExists } from '../sinks/postgres/postgres-tables.ts'
import { postgresTarget } from '../sinks/postgres/postgres-target.ts'

/** A result row that its table refused. */
export interface RejectedRow {
  /** `<sink>@<epoch>.<seq>` */
  readonly id: string
  readonly table: string
  readonly code: string
  readonly message: string
  readonly row: string
}

/** Rows that tables of PostgreSQL refused, by pipeline. `schema` is where `millrace_rejected` is. */
export class RejectedRows {
  readonly #client: pg.Client
  readonly #pipeline: string
  readonly #table: string
  readonly #schema: string

  private constructor(client: pg.Client, pipeline: string, schema: string) {
    this.#client = client
    this.#pipeline = pipeline
    this.#schema = schema
    this.#table = quoted(schema, REJECTED_TABLE)
  }

  /** Connects to the server of `url`, or of the environment. */
  static async connect(url: string | undefined, pipeline: string, schema: string): Promise<RejectedRows> {
    if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
      throw new MillraceError('invalid-option', `"${schema}" is not a schema`, {
        hint: 'use the name that the sink has',
      })
    }
    const { config, shown } = postgresTarget(url, process.env)
    const client = new pg.Client(config)
    client.on('error', () => {})
    try {
      await client.connect()
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      throw new MillraceError('unavailable', `${shown}: ${message}`, { hint: 'check DATABASE_URL', cause: error })
    }
    return new RejectedRows(client, pipeline, schema)
  }

  async list(): Promise<RejectedRow[]> {
    if (!(await tableExists(this.#client, this.#schema, REJECTED_TABLE))) return []
    const { rows } = await this.#client.query<RejectedRow>(
      `select sink || '@' || epoch || '.' || seq as id, table_name as table, code, message, row_data as row
       from ${this.#table} where pipeline = $1 order by sink, epoch, seq`,
      [this.#pipeline],
    )
    return rows
  }

  /**
   * Puts a row, as it is or corrected, into its table and takes it off the list, in one transaction. A row of its key that is there by now is
   * newer and stays.
   */
  async resend(id: string, corrected: string | undefined): Promise<void> {
    const row = (await this.list()).find((one) => one.id === id)
    if (!row)
      throw new MillraceError('invalid-option', `there is no rejected row "${id}"`, {
        hint: '`millrace dlq list` shows their ids',
      })
    const table = quoted(...row.table.split('.'))
    const data = corrected ?? row.row
    const names = Object.keys(JSON.parse(data) as Record<string, unknown>)
      .map((name) => quoted(name))
      .join(', ')
    try {
      await this.#client.query('begin')
      await this.#client.query(
        `insert into ${table} (${names}) select ${names} from json_populate_record(null::${table}, $1::json) on conflict do nothing`,
        [data],
      )
      await this.#client.query(
        `delete from ${this.#table} where pipeline = $1 and sink || '@' || epoch || '.' || seq = $2`,
        [this.#pipeline, id],
      )
      await this.#client.query('commit')
    } catch (error) {
      await this.#client.query('rollback').catch(() => {})
      const message = error instanceof Error ? error.message : String(error)
      throw new MillraceError('invalid-option', `${row.table} refuses the row again: ${message}`, {
        hint: 'correct it with --value, or alter the table',
        cause: error,
      })
    }
  }

  async close(): Promise<void> {
    await this.#client.end()
  }
}
