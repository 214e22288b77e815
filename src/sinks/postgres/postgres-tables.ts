import type { Client } from 'pg'
import { unreachable } from '../../base/assert.ts'
import { MillraceError } from '../../base/error.ts'
import { quoted } from '../../base/sql-name.ts'
import type { Field } from '../../batch/schema.ts'
import type { LatestViewSpec } from '../../plan/connectors.ts'

/** The table that a sink writes to, as the server has it. */
export interface PostgresTable {
  readonly schema: string
  readonly name: string
  readonly columns: readonly PostgresColumn[]
  /** Names of the columns that tell rows apart; none for a table that is only appended to. */
  readonly key: readonly string[]
  /** Whether null is a value of the key like any other. */
  readonly nullableKey: boolean
}

/** A column that gets values. */
export interface PostgresColumn {
  readonly name: string
  /** The type without its length or precision: a cast to `varchar(5)` would cut text off without a word. */
  readonly castType: string
}

/** Marks of all sinks of a schema. */
export const PROGRESS_TABLE = 'millrace_progress'
/** Rows that their tables refused. */
export const REJECTED_TABLE = 'millrace_rejected'

/** Two processes that create the same table at once would make one of them fail. */
const SETUP_LOCK = 0x6d696c6c

/** Creates what is missing of schema, table, marks and refused rows, inside the transaction of the caller, and checks what was there. */
export async function setUpTables(
  client: Client,
  wanted: {
    readonly schema: string
    readonly table: string
    readonly fields: readonly Field[]
    readonly key: readonly string[]
    readonly latest?: LatestViewSpec | undefined
  },
): Promise<PostgresTable> {
  const { schema, table, fields, key } = wanted
  const nullableKey = fields.some((field) => key.includes(field.name) && !field.required)
  await client.query('select pg_advisory_xact_lock($1)', [SETUP_LOCK])
  if (nullableKey) await assertNullsInKeys(client, table)
  const { rowCount } = await client.query('select 1 from pg_namespace where nspname = $1', [schema])
  if (rowCount === 0) await client.query(`create schema ${quoted(schema)}`)
  if (!(await tableExists(client, schema, PROGRESS_TABLE))) {
    await client.query(`create table ${quoted(schema, PROGRESS_TABLE)} (
      pipeline text not null, sink text not null, owner text not null, epoch bigint not null, fence bigint not null,
      hash text not null, committed_at timestamptz not null default now(), primary key (pipeline, sink))`)
  }
  if (!(await tableExists(client, schema, REJECTED_TABLE))) {
    await client.query(`create table ${quoted(schema, REJECTED_TABLE)} (
      pipeline text not null, sink text not null, epoch bigint not null, seq integer not null, table_name text not null,
      code text not null, message text not null, row_data text not null, rejected_at timestamptz not null default now(),
      primary key (pipeline, sink, epoch, seq))`)
  }
  if (!(await tableExists(client, schema, table))) {
    const columns = fields.map((field) => {
      return `${quoted(field.name)} ${postgresType(field)}${field.required ? ' not null' : ''}`
    })
    const kind = nullableKey ? 'unique nulls not distinct' : 'primary key'
    const constraint = key.length > 0 ? [`${kind} (${key.map((name) => quoted(name)).join(', ')})`] : []
    await client.query(`create table ${quoted(schema, table)} (${[...columns, ...constraint].join(', ')})`)
  }
  if (wanted.latest && !(await tableExists(client, schema, wanted.latest.view))) {
    await client.query(latestView(schema, table, key, wanted.latest))
  }
  return {
    schema,
    name: table,
    columns: await checkedColumns(client, schema, table, fields),
    key: await checkedKey(client, { schema, table, key, nullableKey }),
    nullableKey,
  }
}

/** Whether a table or view of that name is there. */
export async function tableExists(client: Client, schema: string, table: string): Promise<boolean> {
  const { rows } = await client.query<{ there: string | null }>('select to_regclass($1)::text as there', [
    quoted(schema, table),
  ])
  return rows[0]?.there !== null
}

function latestView(schema: string, table: string, key: readonly string[], { view, per }: LatestViewSpec): string {
  const groups = per.map((name) => quoted(name)).join(', ')
  const last = key.filter((name) => !per.includes(name)).map((name) => `${quoted(name)} desc`)
  return `create view ${quoted(schema, view)} as select distinct on (${groups}) * from ${quoted(schema, table)}
    order by ${[groups, ...last].join(', ')}`
}

function postgresType(field: Field): string {
  switch (field.type) {
    case 'string':
      return 'text'
    case 'json':
      return 'jsonb'
    case 'uuid':
      return 'uuid'
    case 'timestamp':
      return 'timestamptz'
    case 'decimal':
      return `numeric(18,${field.scale ?? 0})`
    case 'float64':
      return 'double precision'
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

async function checkedColumns(
  client: Client,
  schema: string,
  table: string,
  fields: readonly Field[],
): Promise<PostgresColumn[]> {
  const { rows } = await client.query<{ name: string; type: string; demanded: boolean }>(
    `select attname as name, format_type(atttypid, null) as type,
            attnotnull and not atthasdef and attidentity = '' and attgenerated = '' as demanded
     from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped`,
    [quoted(schema, table)],
  )
  const types = new Map(rows.map((row) => [row.name, row.type]))
  const missing = fields.filter((field) => !types.has(field.name)).map((field) => field.name)
  const names = new Set(fields.map((field) => field.name))
  const extra = rows.filter((row) => row.demanded && !names.has(row.name)).map((row) => row.name)
  if (missing.length > 0 || extra.length > 0) {
    const lack =
      missing.length > 0 ? `lacks the column ${missing.join(', ')}` : `demands a value for ${extra.join(', ')}`
    throw new MillraceError('incompatible-state', `the table ${schema}.${table} ${lack}`, {
      hint: 'alter the table, name another one, or drop it and let it be made again',
    })
  }
  return fields.map(({ name }) => ({ name, castType: types.get(name) as string }))
}

/** An upsert needs a unique index over just these columns. */
async function checkedKey(
  client: Client,
  { schema, table, key, nullableKey }: { schema: string; table: string; key: readonly string[]; nullableKey: boolean },
): Promise<readonly string[]> {
  if (key.length === 0) return key
  const { rows } = await client.query<{ names: string[] }>(
    `select array(select attname::text from pg_attribute where attrelid = indrelid and attnum = any(indkey) order by attname) as names
     from pg_index where indrelid = $1::regclass and indisunique and indimmediate and indpred is null and indexprs is null
       ${nullableKey ? 'and indnullsnotdistinct' : ''}`,
    [quoted(schema, table)],
  )
  const wanted = JSON.stringify([...key].sort())
  if (rows.some(({ names }) => JSON.stringify([...names].sort()) === wanted)) return key
  throw new MillraceError(
    'incompatible-state',
    `the table ${schema}.${table} has no unique index over (${key.join(', ')})${nullableKey ? ' with nulls not distinct' : ''}`,
    {
      hint: 'make that its primary key, or give the sink the key that the table has',
    },
  )
}

async function assertNullsInKeys(client: Client, table: string): Promise<void> {
  const { rows } = await client.query<{ version: number }>(
    "select current_setting('server_version_num')::int as version",
  )
  if ((rows[0]?.version ?? 0) >= 150_000) return
  throw new MillraceError('unsupported', `a key column of ${table} may be null, which needs PostgreSQL 15 or newer`, {
    hint: 'make the column required in the schema, or use a newer server',
  })
}
