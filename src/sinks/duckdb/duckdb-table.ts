import type { DuckDBConnection } from '@duckdb/node-api'
import { unreachable } from '../../base/assert.ts'
import { MillraceError } from '../../base/error.ts'
import { quoted } from '../../base/sql-name.ts'
import type { Field } from '../../batch/schema.ts'
import type { OutboxRow } from '../outbox.ts'

/** The table that a sink writes to, as the file has it. */
export interface DuckDbTable {
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  /** Indexes of the columns that tell rows apart; none for a table that is only appended to. */
  readonly keyIndexes: readonly number[]
}

/** Creates what is missing of table, marks and refused rows, and checks what was there. */
export async function setUpTable(
  connection: DuckDBConnection,
  wanted: { readonly table: string; readonly fields: readonly Field[]; readonly key: readonly string[] },
): Promise<DuckDbTable> {
  await connection.run(`create table if not exists millrace_progress (pipeline varchar not null, sink varchar not null,
    owner varchar not null, epoch bigint not null, fence bigint not null, hash varchar not null, committed_at timestamptz not null)`)
  await connection.run(`create table if not exists millrace_rejected (pipeline varchar not null, sink varchar not null,
    epoch bigint not null, seq integer not null, table_name varchar not null, code varchar not null, message varchar not null,
    row_data varchar not null, rejected_at timestamptz not null)`)
  // No index: null is a key value like any other, and an index would have to fit into memory.
  const columns = wanted.fields.map(
    (field) => `${quoted(field.name)} ${duckDbType(field)}${field.required ? ' not null' : ''}`,
  )
  await connection.run(`create table if not exists ${quoted(wanted.table)} (${columns.join(', ')})`)
  const found = await connection.runAndReadAll(
    `select column_name, data_type from duckdb_columns() where schema_name = 'main' and table_name = $1 and not internal`,
    [wanted.table],
  )
  const types = new Map(found.getRows().map(([name, type]) => [String(name), String(type)]))
  const missing = wanted.fields.filter((field) => !types.has(field.name)).map((field) => field.name)
  if (missing.length > 0) {
    throw new MillraceError('incompatible-state', `the table ${wanted.table} lacks the column ${missing.join(', ')}`, {
      hint: 'alter the table, name another one, or drop it and let it be made again',
    })
  }
  return {
    name: wanted.table,
    columns: wanted.fields.map(({ name }) => ({ name, type: types.get(name) as string })),
    keyIndexes: wanted.key.map((name) => wanted.fields.findIndex((field) => field.name === name)),
  }
}

/** Puts rows where `mergeRows` finds them: in a table of this connection that nobody else sees and no disk keeps. */
export async function stageRows(
  connection: DuckDBConnection,
  table: DuckDbTable,
  rows: readonly OutboxRow[],
): Promise<void> {
  const columns = table.columns.map((_, index) => `c${index} varchar`)
  await connection.run(
    `create or replace temporary table ${STAGED} (seq integer, deleted boolean, ${columns.join(', ')})`,
  )
  const appender = await connection.createAppender(STAGED, 'main', 'temp')
  for (const [seq, { cells, deleted }] of rows.entries()) {
    appender.appendInteger(seq)
    appender.appendBoolean(deleted)
    for (const cell of cells) {
      if (cell === null) appender.appendNull()
      else appender.appendVarchar(cell)
    }
    appender.endRow()
  }
  appender.closeSync()
}

/** Writes the staged rows inside the caller's transaction; those whose values do not fit the columns go to `millrace_rejected`. */
export async function mergeRows(
  connection: DuckDBConnection,
  table: DuckDbTable,
  at: { readonly pipeline: string; readonly sink: string; readonly epoch: number },
): Promise<void> {
  const values = table.columns.map(({ name, type }, index) => `try_cast(c${index} as ${type}) as ${quoted(name)}`)
  const unfit = table.columns
    .map(({ type }, index) => `(c${index} is not null and try_cast(c${index} as ${type}) is null)`)
    .join(' or ')
  const members = table.columns.map(({ name }, index) => `'${name}', c${index}`)
  await connection.run(
    `insert into millrace_rejected
     select $1, $2, $3, row_number() over (order by seq) - 1, $4, '22000', 'a value does not fit its column',
            json_object(${members.join(', ')})::varchar, now()
     from temp.${STAGED} where ${unfit}`,
    [at.pipeline, at.sink, at.epoch, table.name],
  )
  const names = table.columns.map(({ name }) => quoted(name))
  const source = `(select ${values.join(', ')}, deleted as millrace_deleted from temp.${STAGED} where not (${unfit}))`
  if (table.keyIndexes.length === 0) {
    await connection.run(
      `insert into ${quoted(table.name)} (${names.join(', ')}) select ${names.join(', ')} from ${source}`,
    )
    return
  }
  const isKey = new Set(table.keyIndexes)
  const same = table.keyIndexes.map((index) => `t.${names[index]} is not distinct from s.${names[index]}`)
  const sets = names.filter((_, index) => !isKey.has(index)).map((name) => `${name} = s.${name}`)
  await connection.run(
    `merge into ${quoted(table.name)} t using ${source} s on ${same.join(' and ')}
     when matched and s.millrace_deleted then delete
     ${sets.length === 0 ? '' : `when matched then update set ${sets.join(', ')}`}
     when not matched and not s.millrace_deleted then insert (${names.join(', ')}) values (${names.map((name) => `s.${name}`).join(', ')})`,
  )
}

const STAGED = 'millrace_staged'

function duckDbType(field: Field): string {
  switch (field.type) {
    case 'string':
    case 'json':
      return 'varchar'
    case 'uuid':
      return 'uuid'
    case 'timestamp':
      return 'timestamptz'
    case 'decimal':
      return `decimal(18,${field.scale ?? 0})`
    case 'float64':
      return 'double'
    case 'int64':
      return 'bigint'
    case 'int32':
      return 'integer'
    case 'boolean':
      return 'boolean'
    default:
      return unreachable(field.type)
  }
}
