import { access } from 'node:fs/promises'
import { type DuckDBConnection, DuckDBInstance, StatementType } from '@duckdb/node-api'
import { MillraceError } from '../../base/error.ts'
import { asMillraceError, DuckDbStore, lockDown } from './duckdb-store.ts'
import { type FolderView, folderViews } from './folder-views.ts'

/** What a query gives, ready for JSON. */
export interface QueryAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly unknown[])[]
  /** There are more rows than were asked for. */
  readonly truncated: boolean
}

/** How much a query may take. */
export interface QueryLimits {
  readonly rowsMax: number
  readonly timeoutMs: number
}

/** Asks the store that this very process writes to. Only what reads is run, and it sees whole epochs only. */
export async function queryOwnStore(file: string, sql: string, limits: QueryLimits): Promise<QueryAnswer> {
  const store = DuckDbStore.use(file)
  try {
    if (!(await store.exists())) throw noStore(file)
    const connection = await store.connect()
    try {
      return await ask(connection, sql, limits)
    } finally {
      connection.closeSync()
    }
  } finally {
    await store.release()
  }
}

/**
 * Asks a store that nobody writes to; it is opened for reading only. Throws `unavailable` when another process has it. The SQL may read files
 * below `folders` and nothing else of the machine; what a sink has written into a folder there is a view of that name.
 */
export async function queryFile(
  file: string,
  sql: string,
  folders: readonly string[],
  limits: QueryLimits,
): Promise<QueryAnswer> {
  const there = await access(file).then(
    () => true,
    () => false,
  )
  let instance: DuckDBInstance | undefined
  try {
    instance = there
      ? await DuckDBInstance.create(file, { access_mode: 'READ_ONLY' })
      : await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    try {
      for (const statement of lockDown(folders)) await connection.run(statement)
      const tables = await connection.runAndReadAll(
        'select table_name from duckdb_tables() union from (select view_name from duckdb_views())',
      )
      const taken = new Set(tables.getRowsJson().map(([name]) => String(name)))
      for (const view of await folderViews(folders, taken)) await makeView(connection, view, sql)
      return await ask(connection, sql, limits)
    } finally {
      connection.closeSync()
    }
  } catch (error) {
    throw asMillraceError(error, file)
  } finally {
    instance?.closeSync()
  }
}

/** Files that cannot be read as one table matter to those only who ask for them. */
async function makeView(connection: DuckDBConnection, { name, folder, statement }: FolderView, sql: string) {
  try {
    await connection.run(statement)
  } catch (error) {
    if (!sql.includes(name)) return
    const reason = error instanceof Error ? (error.message.split('\n')[0] as string) : String(error)
    throw new MillraceError('invalid-option', `the files below ${folder} cannot be read as one table: ${reason}`, {
      hint: "a folder of files that have the same columns is a table; name some of them in the SQL: from 'folder/*.parquet'",
      cause: error,
    })
  }
}

async function ask(
  connection: DuckDBConnection,
  sql: string,
  { rowsMax, timeoutMs }: QueryLimits,
): Promise<QueryAnswer> {
  await assertReads(connection, sql)
  let late = false
  const timer = setTimeout(() => {
    late = true
    connection.interrupt()
  }, timeoutMs)
  try {
    await connection.run('begin transaction read only')
    const reader = await connection.streamAndReadUntil(sql, rowsMax + 1)
    const names = reader.columnNames()
    const types = reader.columnTypes().map((type) => type.toString())
    const all = reader.getRowsJson()
    const rows = all
      .slice(0, rowsMax)
      .map((row) => row.map((value, index) => plainValue(value, types[index] as string)))
    return {
      columns: names.map((name, index) => ({ name, type: types[index] as string })),
      rows,
      truncated: all.length > rowsMax,
    }
  } catch (error) {
    if (late) {
      throw new MillraceError('unsupported', `the query took longer than ${timeoutMs} ms and was ended`, {
        hint: 'ask for less, or give it more time with --timeout',
      })
    }
    throw refused(error)
  } finally {
    clearTimeout(timer)
    await connection.run('rollback').catch(() => {})
  }
}

/** One statement, and one that only reads: a transaction for reading alone would not stop `commit; drop table`. */
async function assertReads(connection: DuckDBConnection, sql: string): Promise<void> {
  let type: StatementType
  try {
    const statements = await connection.extractStatements(sql)
    if (statements.count !== 1) {
      throw new MillraceError('invalid-option', `${statements.count} statements at once`, {
        hint: 'ask one thing at a time',
      })
    }
    const prepared = await statements.prepare(0)
    type = prepared.statementType
    prepared.destroySync()
  } catch (error) {
    throw refused(error)
  }
  if (type === StatementType.SELECT || type === StatementType.EXPLAIN) return
  throw new MillraceError('unsupported', 'only statements that read are run', { hint: 'write a SELECT' })
}

function refused(error: unknown): Error {
  if (error instanceof MillraceError) return error
  const message = error instanceof Error ? (error.message.split('\n')[0] as string) : String(error)
  return new MillraceError('invalid-option', message, {
    hint: 'correct the SQL; `show tables` lists what is there',
    cause: error,
  })
}

/** Whole numbers that a double holds exactly as numbers, times as everywhere in Millrace; the rest as DuckDB writes it. */
function plainValue(value: unknown, type: string): unknown {
  if (typeof value !== 'string') return value
  if (/^U?(BIG|HUGE)INT$/.test(type)) return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (type.startsWith('DECIMAL') && value.replace(/[-.]/g, '').length <= 15) return Number(value)
  const time = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)?\+00$/.exec(value)
  if (type !== 'TIMESTAMP WITH TIME ZONE' || !time) return value
  return `${time[1]}T${time[2]}${(time[3] ?? '').padEnd(4, '0').replace(/^0/, '.')}Z`
}

function noStore(file: string): MillraceError {
  return new MillraceError('invalid-option', `there is no result store ${file} yet`, {
    hint: 'results come when the first window closes; or name another store with --file',
  })
}
