import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import { cellValue } from '../../src/batch/cell.ts'
import { compileExpression } from '../../src/engine/expression/compile.ts'
import type { Expression } from '../../src/plan/expression.ts'
import { expressionText } from '../../src/plan/expression-text.ts'
import { expressionType } from '../../src/plan/expression-type.ts'
import { parts } from '../../src/plan/used-columns.ts'
import { DUCKDB_MACROS, duckdbSql, sqlType } from '../support/duckdb-sql.ts'
import { fromBatches } from '../support/every-type-batches.ts'
import { type EveryTypeRow, everyType, everyTypeRow, randomExpression } from '../support/random-expressions.ts'

const RUNS = process.env['MILLRACE_TEST_SCALE'] === 'full' ? 10_000 : 300
const { fields } = everyType

/*
 * Left out is where DuckDB has other rules: case mappings that change the length of a text, doubles to decimals (it rounds the
 * binary fraction), hours and minutes cut in a zone where clocks go back, JSON, and zones whose clocks change at midnight.
 */
const PLAIN = /^[\x20-\x7eéü]*$/u
const rows = fc.array(everyTypeRow, { minLength: 200, maxLength: 200 }).map((all) => all.map(plainRow))

test('expressions give what DuckDB gives for the same in SQL', async (t) => {
  const connection = await open(t)
  const [all = []] = fc.sample(rows, { numRuns: 1, seed: 20_261_124 })
  await load(connection, all)
  let compared = 0
  await fc.assert(
    fc.asyncProperty(randomExpression.filter(comparable), async (node) => {
      const type = { ...expressionType(node, fields), name: 'value' }
      const evaluate = compileExpression(node, fields, 1)
      const values = fromBatches(all, 64, (batch) => {
        const column = evaluate(batch)
        return Array.from({ length: batch.rowCount }, (_, row) => cellValue(column, type, row))
      })
      assert.deepEqual(values, await answers(connection, node), `${expressionText(node)}\n${duckdbSql(node, fields)}`)
      compared++
    }),
    { numRuns: RUNS },
  )
  assert.ok(compared >= RUNS)
})

async function open(t: TestContext): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  t.after(() => {
    connection.closeSync()
    instance.closeSync()
  })
  await connection.run("SET TimeZone = 'UTC'")
  for (const macro of DUCKDB_MACROS) await connection.run(macro)
  return connection
}

async function load(connection: DuckDBConnection, all: readonly EveryTypeRow[]): Promise<void> {
  const columns = fields.map((field) => `"${field.name}" ${sqlType(field)}`)
  await connection.run(`CREATE TABLE events (place INTEGER, ${columns.join(', ')})`)
  const tuples = all.map(
    (row, place) => `(${[place, ...fields.map(({ name, type }) => sqlValue(row[name], type))].join(', ')})`,
  )
  await connection.run(`INSERT INTO events VALUES ${tuples.join(', ')}`)
}

function sqlValue(value: unknown, type: string): string {
  if (value === null) return 'NULL'
  if (type === 'timestamp') return `make_timestamp_ms(${value})`
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : `'${value}'`
}

/** Values as rows have them: decimals as doubles, times in ms. */
async function answers(connection: DuckDBConnection, node: Expression): Promise<unknown[]> {
  const { type } = expressionType(node, fields)
  const sql = duckdbSql(node, fields)
  const numeric = ['decimal', 'int64', 'int32', 'float64'].includes(type)
  const shown =
    type === 'timestamp'
      ? `CAST(epoch_ms(${sql}) AS DOUBLE)`
      : numeric
        ? `CAST(${sql} AS DOUBLE)`
        : type === 'uuid'
          ? `CAST(${sql} AS VARCHAR)`
          : sql
  const reader = await connection.runAndReadAll(`SELECT ${shown} FROM events ORDER BY place`)
  return reader.getRows().map(([value]) => (value === 0 ? 0 : value))
}

function plainRow(row: EveryTypeRow): EveryTypeRow {
  const plain = (value: unknown): unknown => (typeof value === 'string' && !PLAIN.test(value) ? 'é/ü' : value)
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]))
}

function comparable(node: Expression): boolean {
  return own(node) && parts(node).every(comparable)
}

function own(node: Expression): boolean {
  if (node.kind === 'column') return node.name !== 'more'
  if (node.kind === 'literal')
    return typeof node.value !== 'string' || PLAIN.test(node.value) || node.value.includes('/')
  if (node.kind !== 'call') return true
  const zone = node.operands.find((one) => one.kind === 'literal' && one.value === 'Pacific/Apia')
  if (zone) return false
  const first = node.operands[0] as Expression
  if (node.name === 'toDecimal') return expressionType(first, fields).type !== 'float64'
  if (node.name !== 'dateTrunc' || node.operands.length < 3) return true
  return first.kind === 'literal' && first.value !== 'minute' && first.value !== 'hour'
}
