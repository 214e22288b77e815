import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Client } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { MillraceError } from '../../base/error.ts'
import { quoted } from '../../base/sql-name.ts'
import { mergedByKey, type OutboxRow } from '../outbox.ts'
import { sqlState } from './postgres-session.ts'
import { type PostgresTable, REJECTED_TABLE } from './postgres-tables.ts'

/** Rows of one statement. */
const STATEMENT_ROWS_MAX = 5_000
/** From so many rows on, COPY into a temporary table is faster than arrays as parameters. */
const COPY_ROWS_MIN = 20_000
/** A table that refuses more rows of an epoch than that is the wrong table. */
const REJECTED_ROWS_MAX = 10_000
const COPY_CHUNK_CHARACTERS = 1 << 16
/** Bad values, broken constraints, and keys too long for an index: the row is to blame, not the server. */
const REFUSED_ROW = /^(22|23|54000)/

/** Whose rows they are; names the refused ones. */
export interface RowsAt {
  readonly pipeline: string
  readonly sink: string
  readonly epoch: number
}

/**
 * Writes an epoch's rows inside the caller's transaction: deletions, then each key's last values. What the database refuses (too long, out of
 * range, a broken constraint) is found by halving and goes to `millrace_rejected` in the same transaction. Gives how many rows that were.
 */
export async function writeRows(
  client: Client,
  table: PostgresTable,
  rows: readonly OutboxRow[],
  at: RowsAt,
): Promise<number> {
  // Else a deferred constraint would speak up at COMMIT, when it is too late to say which row it means.
  await client.query('set constraints all immediate')
  const keyIndexes = table.key.map((name) => table.columns.findIndex((column) => column.name === name))
  const merged = mergedByKey(rows, keyIndexes)
  const rejected: Rejected[] = []
  const fit: OutboxRow[] = []
  for (const row of merged) {
    if (row.cells.some((cell) => cell?.includes('\u0000'))) {
      rejected.push({ row, code: '22021', message: 'PostgreSQL keeps no text with a NUL character' })
    } else {
      fit.push(row)
    }
  }
  const deletions = fit.filter((row) => row.deleted)
  for (const piece of pieces(deletions)) await client.query(deleteSql(table, keyIndexes), arrays(table, piece))
  const values = fit.filter((row) => !row.deleted)
  const copied = values.length >= COPY_ROWS_MIN
  if (copied) await copyRows(client, table, values)
  for (let start = 0; start < values.length; start += STATEMENT_ROWS_MAX) {
    const end = Math.min(values.length, start + STATEMENT_ROWS_MAX)
    await insertRange({ client, table, values, copied, rejected }, start, end)
  }
  if (copied) await client.query('drop table pg_temp.millrace_rows')
  for (const [seq, one] of rejected.entries()) await keepRejected(client, table, at, seq, one)
  return rejected.length
}

interface Rejected {
  readonly row: OutboxRow
  readonly code: string
  readonly message: string
}

interface Insertion {
  readonly client: Client
  readonly table: PostgresTable
  readonly values: readonly OutboxRow[]
  readonly copied: boolean
  readonly rejected: Rejected[]
}

/** Inserts rows `[start, end)`; what is refused as a whole is tried again in halves, down to the very row. */
async function insertRange(insertion: Insertion, start: number, end: number): Promise<void> {
  const { client, table, values, copied, rejected } = insertion
  await client.query('savepoint millrace_rows')
  try {
    if (copied) await client.query(insertSql(table, copiedRange(table)), [start, end])
    else await client.query(insertSql(table, unnested(table)), arrays(table, values.slice(start, end)))
    await client.query('release savepoint millrace_rows')
    return
  } catch (error) {
    const code = sqlState(error)
    if (code === undefined || !REFUSED_ROW.test(code)) throw error
    await client.query('rollback to savepoint millrace_rows')
    await client.query('release savepoint millrace_rows')
    if (end - start === 1) {
      rejected.push({ row: values[start] as OutboxRow, code, message: (error as Error).message })
      if (rejected.length > REJECTED_ROWS_MAX) throw refusesEverything(table, code, (error as Error).message)
      return
    }
  }
  const middle = (start + end) >> 1
  await insertRange(insertion, start, middle)
  await insertRange(insertion, middle, end)
}

function insertSql(table: PostgresTable, source: string): string {
  const names = table.columns.map(({ name }) => quoted(name))
  const others = names.filter((_, index) => !table.key.includes(table.columns[index]?.name as string))
  const update =
    others.length === 0 ? 'nothing' : `update set ${others.map((name) => `${name} = excluded.${name}`).join(', ')}`
  const conflict =
    table.key.length === 0 ? '' : `on conflict (${table.key.map((name) => quoted(name)).join(', ')}) do ${update}`
  return `insert into ${quoted(table.schema, table.name)} (${names.join(', ')}) select ${casts(table)} from ${source} ${conflict}`
}

function deleteSql(table: PostgresTable, keyIndexes: readonly number[]): string {
  const same = keyIndexes.map((index) => {
    const column = table.columns[index] as PostgresTable['columns'][number]
    const value = `r.c${index}::${column.castType}`
    return table.nullableKey
      ? `t.${quoted(column.name)} is not distinct from ${value}`
      : `t.${quoted(column.name)} = ${value}`
  })
  return `delete from ${quoted(table.schema, table.name)} t using ${unnested(table)} where ${same.join(' and ')}`
}

/** Every value travels as text, and the server reads it as the type that the column has. */
function casts(table: PostgresTable): string {
  return table.columns.map(({ castType }, index) => `r.c${index}::${castType}`).join(', ')
}

function unnested(table: PostgresTable): string {
  const parameters = table.columns.map((_, index) => `$${index + 1}::text[]`)
  return `unnest(${parameters.join(', ')}) as r(${columnNames(table)})`
}

function copiedRange(table: PostgresTable): string {
  return `(select ${columnNames(table)} from pg_temp.millrace_rows where seq >= $1 and seq < $2 order by seq) as r`
}

function columnNames(table: PostgresTable): string {
  return table.columns.map((_, index) => `c${index}`).join(', ')
}

function arrays(table: PostgresTable, rows: readonly OutboxRow[]): (string | null)[][] {
  return table.columns.map((_, index) => rows.map((row) => row.cells[index] as string | null))
}

function* pieces(rows: readonly OutboxRow[]): Generator<readonly OutboxRow[]> {
  for (let start = 0; start < rows.length; start += STATEMENT_ROWS_MAX) {
    yield rows.slice(start, start + STATEMENT_ROWS_MAX)
  }
}

async function copyRows(client: Client, table: PostgresTable, rows: readonly OutboxRow[]): Promise<void> {
  const columns = table.columns.map((_, index) => `c${index} text`)
  await client.query(`create temporary table millrace_rows (seq integer, ${columns.join(', ')}) on commit drop`)
  await pipeline(
    Readable.from(copyChunks(rows)),
    client.query(copyFrom(`copy pg_temp.millrace_rows (seq, ${columnNames(table)}) from stdin`)),
  )
  await client.query('create index on pg_temp.millrace_rows (seq)')
  await client.query('analyze pg_temp.millrace_rows')
}

/** COPY's text format: tabs between cells, `\N` for null, a backslash before what means something. */
function* copyChunks(rows: readonly OutboxRow[]): Generator<string> {
  let text = ''
  for (const [seq, row] of rows.entries()) {
    text += `${seq}\t${row.cells.map(copyCell).join('\t')}\n`
    if (text.length < COPY_CHUNK_CHARACTERS) continue
    yield text
    text = ''
  }
  yield text
}

function copyCell(cell: string | null): string {
  if (cell === null) return '\\N'
  return cell.replace(/[\\\t\n\r]/g, (character) => COPY_ESCAPES.get(character) as string)
}

const COPY_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\r', '\\r'],
])

async function keepRejected(
  client: Client,
  table: PostgresTable,
  at: RowsAt,
  seq: number,
  { row, code, message }: Rejected,
): Promise<void> {
  // NUL is written as \u0000 in JSON, so any text fits.
  const data = JSON.stringify(Object.fromEntries(table.columns.map(({ name }, index) => [name, row.cells[index]])))
  await client.query(
    `insert into ${quoted(table.schema, REJECTED_TABLE)} (pipeline, sink, epoch, seq, table_name, code, message, row_data)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
    [at.pipeline, at.sink, at.epoch, seq, `${table.schema}.${table.name}`, code, message, data],
  )
}

function refusesEverything(table: PostgresTable, code: string, message: string): MillraceError {
  return new MillraceError(
    'incompatible-state',
    `the table ${table.schema}.${table.name} refuses more than ${REJECTED_ROWS_MAX} rows of an epoch: ${message} (${code})`,
    { hint: 'its columns or constraints do not fit these rows: alter it, or name another table' },
  )
}
