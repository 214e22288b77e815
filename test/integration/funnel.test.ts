// One definition of a funnel gives the same rows live, by SQL over what was kept, and by the definition itself.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { Random } from '../../src/base/random.ts'
import {
  col,
  defineSchema,
  eq,
  type FunnelMode,
  funnelSql,
  isIn,
  logSource,
  ne,
  type Pipeline,
  pipeline,
  stream,
  text,
  timestamp,
  tumbling,
} from '../../src/index.ts'
import { rowsOf } from '../../src/sinks/memory-sink.ts'
import { EngineRun } from '../support/events.ts'
import { type FunnelRow, naiveFunnel } from '../support/naive-funnel.ts'

const SEED = Number(process.env['MILLRACE_LAW_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const EVENTS = process.env['MILLRACE_TEST_SCALE'] === 'full' ? 400_000 : 20_000
const START_MS = Date.UTC(2026, 0, 1)
const WITHIN_MS = 20_000
const NAMES = ['see', 'take', 'pay']
/** What a row can be, and the steps that it is. */
const KINDS: Readonly<Record<string, readonly number[]>> = { see: [0], take: [1], pay: [2], grab: [0, 1], other: [] }
const KIND_NAMES = Object.keys(KINDS)

const schema = defineSchema({ ts: timestamp({ format: 'epoch-ms', required: true }), who: text(), kind: text() })

function planOf(mode: FunnelMode): Pipeline {
  const funnel = stream(logSource('t'), schema)
    .where(ne(col('kind'), 'noise'))
    .withWatermark('ts', '10s', { maxClockSkew: null })
    .funnel({
      by: 'who',
      steps: {
        see: isIn(col('kind'), ['see', 'grab']),
        take: isIn(col('kind'), ['take', 'grab']),
        pay: eq(col('kind'), 'pay'),
      },
      within: '20s',
      mode,
    })
  return pipeline('funnels')
    .query('steps', funnel.select())
    .query('conversions', funnel.conversions(tumbling('1 minute')))
}

interface Row {
  readonly ts: number
  readonly who: string | null
  readonly kind: string
  readonly partition: number
  readonly offset: number
}

describe(`a funnel (MILLRACE_LAW_SEED=${SEED})`, () => {
  for (const mode of ['ordered', 'strict', 'any'] as const) {
    test(`${mode}: SQL over history says what the definition says, of many short histories`, async () => {
      const { queries } = planOf(mode)
      await withTable(async (connection) => {
        const random = new Random(SEED)
        for (let round = 0; round < 40; round++) {
          const rows = randomRows(random, 1 + random.below(60), 3, 60)
          await fill(connection, rows)
          const expected = naiveFunnel(
            rows.filter(({ kind }) => kind !== 'noise').map(asFunnelRow),
            NAMES,
            WITHIN_MS,
            mode,
          )
          const found = await ask(connection, funnelSql(queries[0], 'from kept', { ties: ['partition', 'offset'] }))
          assert.deepEqual(
            found,
            expected.map(({ start, who, step, name, time, converted, ms }) => ({
              attempt_start: start,
              who,
              step,
              step_name: name,
              step_time: time,
              converted,
              seconds: ms === null ? null : ms / 1_000,
            })),
          )
        }
      })
    })

    test(`${mode}: what was told live is what SQL says of it later`, async () => {
      const plan = planOf(mode)
      const rows = randomRows(new Random(SEED), EVENTS, EVENTS / 100, EVENTS / 4)
      const live = played(plan, rows)
      await withTable(async (connection) => {
        await fill(connection, rows)
        const sql = plan.queries.map((query) => funnelSql(query, 'from kept', { ties: ['partition', 'offset'] }))
        assert.deepEqual(await ask(connection, sql[0]), live[0])
        const kept = await ask(connection, sql[1])
        assert.ok(kept.length > 3)
        assert.deepEqual(kept.map(withoutMedian), live[1].map(withoutMedian))
        for (const [index, row] of kept.entries()) {
          const [exact, sketched] = [row['median_seconds'], live[1][index]?.['median_seconds']].map(Number)
          assert.ok(Math.abs(sketched - exact) <= exact * 0.0101, `${sketched} instead of ${exact}`)
        }
      })
    })
  }
})

function randomRows(random: Random, count: number, users: number, seconds: number): Row[] {
  const offsets = [0, 0]
  return Array.from({ length: count }, (_, index) => {
    const partition = random.below(2)
    const offset = offsets[partition]
    offsets[partition] = offset + 1
    const kind = random.chance(0.1) ? 'noise' : KIND_NAMES[random.below(KIND_NAMES.length)]
    // Often at the same time as others, and never behind the watermark.
    const second = Math.floor((index / count) * seconds) - random.below(9)
    const who = random.chance(0.05) ? null : `u${random.below(users)}`
    return { ts: START_MS + second * 1_000, who, kind, partition, offset }
  })
}

function asFunnelRow({ kind, ...row }: Row): FunnelRow {
  return { ...row, steps: KINDS[kind] }
}

type Results = Readonly<Record<string, unknown>>[]

function played(plan: Pipeline, rows: readonly Row[]): [Results, Results] {
  const run = new EngineRun(plan, 2)
  const seen: [Results, Results] = [[], []]
  const size = Math.ceil(rows.length / 20)
  for (let from = 0; from <= rows.length; from += size) {
    const own = rows.slice(from, from + size)
    const parts = [0, 1].map((partition) => own.filter((row) => row.partition === partition))
    const { queries } = run.epoch(
      parts.map((part) => part.map(({ ts, who, kind }) => ({ ts, who, kind }))),
      { flush: from + size > rows.length },
    )
    for (const [index, { append }] of queries.entries()) {
      if (append) seen[index].push(...rowsOf(append).map((row) => plain(Object.fromEntries(row))))
    }
  }
  return seen
}

async function withTable(work: (connection: DuckDBConnection) => Promise<void>): Promise<void> {
  const database = await DuckDBInstance.create(':memory:')
  const connection = await database.connect()
  try {
    await connection.run('create table kept (ts timestamptz, who varchar, kind varchar, partition int, "offset" int)')
    await work(connection)
  } finally {
    connection.closeSync()
    database.closeSync()
  }
}

async function fill(connection: DuckDBConnection, rows: readonly Row[]): Promise<void> {
  await connection.run('delete from kept')
  const lists = [
    rows.map(({ ts }) => `${ts}`),
    rows.map(({ who }) => (who === null ? 'null' : `'${who}'`)),
    rows.map(({ kind }) => `'${kind}'`),
    rows.map(({ partition }) => `${partition}`),
    rows.map(({ offset }) => `${offset}`),
  ].map((values) => `unnest([${values.join(', ')}])`)
  await connection.run(
    `insert into kept select make_timestamp(a * 1000) at time zone 'UTC', b, c, d, e from (select ${['a', 'b', 'c', 'd', 'e'].map((name, index) => `${lists[index]} as ${name}`).join(', ')})`,
  )
}

async function ask(connection: DuckDBConnection, sql: string): Promise<Results> {
  const answer = await connection.runAndReadAll(sql)
  return answer.getRowObjectsJson().map((row) => plain(row as Readonly<Record<string, unknown>>))
}

/** Times as ms, numbers as numbers, whoever has written them. */
function plain(row: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (value === null || typeof value === 'boolean' || name === 'who' || name === 'step_name') return [name, value]
      const text = String(value)
      return [name, /^\d{4}-/.test(text) ? Date.parse(text.replace(' ', 'T').replace('+00', 'Z')) : Number(text)]
    }),
  )
}

function withoutMedian({ median_seconds: _median, ...row }: Readonly<Record<string, unknown>>): unknown {
  return row
}
