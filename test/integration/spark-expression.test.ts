import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { tableFromIPC } from 'apache-arrow'
import fc from 'fast-check'
import { cellValue } from '../../src/batch/cell.ts'
import { type Field, int64 } from '../../src/batch/schema.ts'
import { compileExpression } from '../../src/engine/expression/compile.ts'
import { fileSource } from '../../src/plan/connectors.ts'
import { col, type Expression } from '../../src/plan/expression.ts'
import { expressionText } from '../../src/plan/expression-text.ts'
import { expressionType } from '../../src/plan/expression-type.ts'
import { add, mul, neg, sub } from '../../src/plan/functions.ts'
import { parts } from '../../src/plan/used-columns.ts'
import { SparkSession } from '../../src/spark/connect.ts'
import { jsonRows } from '../../src/spark/encode.ts'
import { expressionSql } from '../../src/spark/expression.ts'
import { project, type Relation } from '../../src/spark/relation.ts'
import { parseRemote } from '../../src/spark/remote.ts'
import { sourceRows } from '../../src/spark/source-rows.ts'
import { sqlName } from '../../src/spark/sql.ts'
import { fromBatches } from '../support/every-type-batches.ts'
import { type EveryTypeRow, everyType, everyTypeRow, randomExpression } from '../support/random-expressions.ts'
import { requirement } from '../support/requirement.ts'
import { temporaryFolder } from '../support/run-millrace.ts'
import { testSpark } from '../support/spark.ts'

const EXPRESSIONS = process.env['MILLRACE_TEST_SCALE'] === 'full' ? 3_000 : 120
/** Expressions in one question to Spark. */
const AT_ONCE = 40
const ROWS = 150
const { fields } = everyType
const PLACE: Field = { ...int64({ required: true }), name: '$place' }

/** Beside random rows, whose every value may be null: the edges of each type. */
const EDGES: readonly EveryTypeRow[] = [
  { big: Number.MAX_SAFE_INTEGER, n: 2 ** 31 - 1, x: Number.MAX_VALUE, amount: 90071992547409.91 },
  { big: Number.MIN_SAFE_INTEGER, n: -(2 ** 31), x: -Number.MAX_VALUE, amount: -90071992547409.91 },
  { big: 0, n: 0, x: -0, amount: -0, country: '', user: '', id: '' },
  { x: 5e-324, country: '東京 🗼', user: 'ÀÉÎ', id: 'a\u0000b', page: 'https://ex.test/ä?a=ü' },
  { x: 1e21, n: 1, big: -1, country: 'it\'s \\ "q"', user: '\t x\n', id: '1e5', page: '//h?a' },
].map((edge) => ({ t: 0, page: '', price: 0, ...edge }))

/** What leaves the types of numbers at their edges. */
const AT_EDGES: readonly Expression[] = ['n', 'big', 'x', 'amount']
  .map((name) => col(name))
  .flatMap((column) => [neg(column), neg(neg(column)), add(column, column), sub(neg(column), 1), mul(column, column)])

describe('expressions', requirement('spark'), () => {
  test('give on Spark what they give here, nulls and edges included', async (t) => {
    const rows = [...EDGES, ...fc.sample(everyTypeRow, { numRuns: ROWS, seed: 20_261_126 })]
    const random = fc.sample(randomExpression.filter(comparable), { numRuns: EXPRESSIONS, seed: 20_261_126 })
    const nodes = [...AT_EDGES, ...random]
    const ask = await openSpark(t, rows)
    const differences: string[] = []
    for (let from = 0; from < nodes.length; from += AT_ONCE) {
      const some = nodes.slice(from, from + AT_ONCE)
      const answers = await ask(some)
      for (const [index, node] of some.entries()) {
        const expected = here(node, rows)
        const actual = answers[index] as readonly unknown[]
        const row = expected.findIndex((value, place) => !Object.is(value, actual[place]))
        if (row >= 0) differences.push(differenceText(node, rows[row], expected[row], actual[row]))
      }
    }
    assert.equal(
      differences.length,
      0,
      `${differences.length} of ${nodes.length} differ\n\n${differences.slice(0, 8).join('\n')}`,
    )
  })
})

type Ask = (nodes: readonly Expression[]) => Promise<unknown[][]>

/** Reads the rows from a file, as a query does, and evaluates many expressions over them at once. */
async function openSpark(t: TestContext, rows: readonly EveryTypeRow[]): Promise<Ask> {
  const file = join(await temporaryFolder(t), 'rows.ndjson')
  await writeFile(file, rows.map((row, place) => `${JSON.stringify({ ...row, [PLACE.name]: place })}\n`).join(''))
  const schema = { ...everyType, fields: [...fields, PLACE] }
  const source = { kind: 'source', source: fileSource(file), schema, rules: [] } as never
  const events = asBatch(sourceRows(source, schema.fields, {}))
  const session = await SparkSession.open(parseRemote(await testSpark(), {}))
  t.after(async () => {
    await session.release()
    session.close()
  })
  await session.configure({ 'spark.sql.session.timeZone': 'UTC', 'spark.sql.ansi.enabled': 'true' })
  return async (nodes) => {
    const values = nodes.map((node, index) => ({ ...expressionType(node, fields), name: `v${index}` }))
    const columns = nodes.map((node, index) => `${expressionSql(node, fields)} AS ${sqlName(`v${index}`)}`)
    const asked = jsonRows(project(events, sqlName(PLACE.name), ...columns), [PLACE, ...values])
    const pieces = await session.collect(asked)
    const texts = pieces.flatMap((piece) => [...tableFromIPC(piece)].map((row) => String(row['value'])))
    const found = texts.map((text) => JSON.parse(text) as Record<string, unknown>)
    assert.equal(found.length, rows.length, 'every row is an event for Spark')
    found.sort((left, right) => Number(left[PLACE.name]) - Number(right[PLACE.name]))
    return values.map(({ name }) => found.map((row) => row[name] ?? null))
  }
}

/** The same rows, all at once. */
function asBatch(relation: Relation): Relation {
  return JSON.parse(JSON.stringify(relation).replace('"is_streaming":true', '"is_streaming":false')) as Relation
}

function here(node: Expression, rows: readonly EveryTypeRow[]): unknown[] {
  const type = { ...expressionType(node, fields), name: 'value' }
  const evaluate = compileExpression(node, fields, 1)
  return fromBatches(rows, 64, (batch) => {
    const column = evaluate(batch)
    return Array.from({ length: batch.rowCount }, (_, row) => cellValue(column, type, row))
  })
}

function differenceText(node: Expression, row: EveryTypeRow | undefined, mine: unknown, theirs: unknown): string {
  const shown = (value: unknown): string => (Object.is(value, -0) ? '-0' : JSON.stringify(value))
  return `${expressionText(node)}\n  here ${shown(mine)}, Spark ${shown(theirs)}, of ${JSON.stringify(row)}\n  ${expressionSql(node, fields)}`
}

function comparable(node: Expression): boolean {
  return own(node) && parts(node).every(comparable)
}

function own(node: Expression): boolean {
  return node.kind !== 'column' || node.name !== 'more'
}
