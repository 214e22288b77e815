import assert from 'node:assert/strict'
import { createWriteStream, mkdirSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import pg from 'pg'
import { wrongAnswers } from '../end-to-end/answers.ts'
import { runMeasured } from '../end-to-end/measured-process.ts'
import { fillTopic } from '../end-to-end/topic.ts'
import { expectedGroups, type Groups, KEYS } from '../end-to-end/truth.ts'
import type { BenchResult } from '../support/bench.ts'
import { spreadOf } from '../support/measure.ts'
import { inWorld, runCommand, type World, withPostgres } from './world.ts'

const RUNS = 3

/**
 * The same three queries over the same topic, in turns: with a checkpoint, Parquet and PostgreSQL, and with nothing kept at all. Processes,
 * with their start. Every group of every run that keeps something is compared with what the generator knows.
 */
export function measurePrice(events: number): Promise<readonly BenchResult[]> {
  return inWorld((world) =>
    withPostgres(world, async ({ url, pid }) => {
      await fillTopic(world.log, events)
      const expected = expectedGroups(events)
      const costs = { lasting: [] as number[], fleeting: [] as number[] }
      const cpu = { lasting: [] as number[], fleeting: [] as number[] }
      for (let round = 0; round < RUNS; round++) {
        for (const kind of round % 2 === 0 ? (['lasting', 'fleeting'] as const) : (['fleeting', 'lasting'] as const)) {
          const output = join(world.folder, `${kind}-${round}`)
          mkdirSync(output)
          const database = kind === 'lasting' ? await newDatabase(url, `round_${round}`) : url
          const checkpoint = kind === 'lasting' ? ['--checkpoint', join(output, 'checkpoint')] : []
          const { wallMs, cpuMs } = await runMeasured(runCommand(world, kind, '--once', ...checkpoint), {
            cwd: output,
            env: { ...process.env, MILLRACE_POSTGRES_URL: database },
            brokerPid: pid,
          })
          costs[kind].push((wallMs * 1e6) / events)
          cpu[kind].push((cpuMs * 1e6) / events)
          process.stderr.write(
            `${kind}: ${(wallMs / 1000).toFixed(1)} s, ${(cpuMs / 1000).toFixed(1)} s of CPU, load ${loadavg()[0]?.toFixed(1)}\n`,
          )
          if (kind === 'lasting') await compareAll(world, output, database, expected)
        }
      }
      const result = (name: string, kind: 'lasting' | 'fleeting', ratio = {}): BenchResult => {
        return {
          name,
          data: 'price',
          events,
          nsPerEvent: spreadOf(costs[kind]),
          cpuNsPerEvent: spreadOf(cpu[kind]).median,
          ratio,
        }
      }
      const median = (values: readonly number[]): number => spreadOf(values).median
      return [
        result('durability/nothing-kept', 'fleeting'),
        result('durability/price', 'lasting', {
          'nothing-kept': median(costs.fleeting) / median(costs.lasting),
          'nothing-kept in CPU': median(cpu.fleeting) / median(cpu.lasting),
        }),
      ]
    }),
  )
}

async function newDatabase(url: string, name: string): Promise<string> {
  await queryAll(url, `create database ${name}`)
  const address = new URL(url)
  address.pathname = `/${name}`
  return address.href
}

async function compareAll(
  { folder }: World,
  output: string,
  url: string,
  expected: Readonly<Record<string, Groups>>,
): Promise<void> {
  for (const [store, rowsOf] of [
    ['parquet', (query: string) => parquetRows(join(output, query, '*.parquet'))],
    ['postgres', (query: string) => queryAll(url, `select * from ${query}`)],
  ] as const) {
    const copies = join(folder, `${store}-answers`)
    for (const query of Object.keys(KEYS)) {
      mkdirSync(join(copies, query), { recursive: true })
      const file = createWriteStream(join(copies, query, 'rows.json'))
      for (const row of await rowsOf(query)) file.write(`${JSON.stringify(row)}\n`)
      file.end()
      await finished(file)
    }
    const problems = await wrongAnswers(copies, expected, { parts: false, distinctTolerance: 0 })
    assert.deepEqual(problems, [], `answers in ${store}`)
  }
}

async function parquetRows(files: string): Promise<object[]> {
  const database = await DuckDBInstance.create(':memory:')
  const connection = await database.connect()
  try {
    const answer = await connection.runAndReadAll(
      `set timezone = 'UTC'; select epoch_ms(window_start)::double as window_start, * exclude (window_start, window_end) from read_parquet('${files}')`,
    )
    return answer.getRowObjectsJson()
  } finally {
    connection.closeSync()
    database.closeSync()
  }
}

async function queryAll(url: string, sql: string): Promise<object[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<object>(sql)).rows
  } finally {
    await client.end()
  }
}
