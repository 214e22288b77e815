import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { recordValues } from '../src/cli/record-values.ts'
import { generateInto } from '../src/generator/load.ts'
import { PROFILES } from '../src/generator/profiles.ts'
import { DEFAULT_SETTINGS, generatorSettings } from '../src/generator/settings.ts'
import { openEmbeddedLog } from '../src/log/embedded-log.ts'
import type { Bench, BenchOptions, BenchResult } from './support/bench.ts'
import { type Contender, measure, resultOf } from './support/measure.ts'

const NAME = 'url-device-activity'
const EVENTS = 10_000_000
const START_MS = Date.UTC(2026, 10, 24)

/** The whole way of requirement C15: a topic of ten million events, through the preset, to JSON with checkpoints. */
export const bench: Bench = {
  name: 'preset-c',
  summary:
    'preset url-device-activity: embedded log -> three queries of sliding windows -> JSON, with checkpoints; DuckDB at once',
  run,
}

/** `--data N`: so many events. */
async function run({ data = String(EVENTS) }: BenchOptions): Promise<readonly BenchResult[]> {
  const rows = Number(data)
  assert.ok(Number.isSafeInteger(rows) && rows > 0, `"${data}" is not a number of events`)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  try {
    const bytes = await fill(folder, rows)
    process.stderr.write(`${(bytes / 1e9).toFixed(2)} GB of JSON\n`)
    const ours = millrace(folder, rows)
    const theirs = duckdb(folder, rows)
    const [mill, duck] = await measure([ours, theirs], { warmUps: 0, runs: 1 })
    for (const { name, peakBytes } of [ours, theirs]) {
      process.stderr.write(`${name.padEnd(8)} ${(peakBytes() / 1e6).toFixed(0)} MB at most\n`)
    }
    await compareTotals(folder, rows)
    return [resultOf({ name: 'preset-c/duckdb', data }, duck), resultOf({ name: 'preset-c', data }, mill, [duck])]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Process extends Contender {
  readonly peakBytes: () => number
}

/** The topic, and the same lines in a file. */
async function fill(folder: string, rows: number): Promise<number> {
  const profile = PROFILES.get(NAME)
  assert.ok(profile)
  const log = await openEmbeddedLog(join(folder, 'home', 'log'), { mode: 'write' })
  try {
    const settings = generatorSettings({ ...DEFAULT_SETTINGS, ...profile.settings, eventsPerSecond: 1_000 })
    const { shape } = profile
    const { bytes } = await generateInto(log, NAME, settings, { pace: 'flat-out', rows, shape, startTimeMs: START_MS })
    const file = createWriteStream(join(folder, 'events.ndjson'), { highWaterMark: 16 << 20 })
    const topic = await log.describeTopic(NAME)
    for (const [partition, { start, end }] of topic?.offsets.entries() ?? []) {
      let lines: string[] = []
      const decoder = new TextDecoder()
      for await (const { value } of recordValues(log, NAME, partition, start, end)) {
        if (lines.push(decoder.decode(value)) < 10_000) continue
        if (!file.write(`${lines.join('\n')}\n`)) await once(file, 'drain')
        lines = []
      }
      if (lines.length > 0) file.write(`${lines.join('\n')}\n`)
    }
    file.end()
    await finished(file)
    return bytes
  } finally {
    await log.close()
  }
}

function millrace(folder: string, rows: number): Process {
  const command = join(import.meta.dirname, '..', 'bin', 'millrace.js')
  const args = [command, 'run', '--preset', NAME, NAME, '--once', '--home', 'home', '--checkpoint', 'checkpoint']
  return contender('millrace', folder, rows, [...args, '--output', 'out', '--json'])
}

function duckdb(folder: string, rows: number): Process {
  const program = join(import.meta.dirname, 'preset-c', 'duckdb.ts')
  return contender('duckdb', folder, rows, [program, join(folder, 'events.ndjson'), join(folder, 'duckdb')])
}

function contender(name: string, folder: string, rows: number, args: readonly string[]): Process {
  let peak = 0
  return {
    name,
    peakBytes: () => peak,
    async run() {
      const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 2] })
      let said = ''
      child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text))
      const timer = setInterval(() => (peak = Math.max(peak, residentPeak(child.pid ?? 0))), 200)
      const [code] = await once(child, 'close')
      clearInterval(timer)
      assert.equal(code, 0)
      if (name === 'millrace') assert.equal((JSON.parse(said) as { rowsRead: number }).rowsRead, rows)
      return rows
    },
  }
}

/** The most memory that a process had at any time; 0 when it has just ended, or elsewhere than on Linux. */
function residentPeak(pid: number): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(kilobytes ?? 0) * 1024
  } catch {
    return 0
  }
}

/** Of each window that has closed, which is all but the last minutes, both have the same rows with the same counts. */
async function compareTotals(folder: string, rows: number): Promise<void> {
  const database = await DuckDBInstance.create(':memory:')
  const connection = await database.connect()
  try {
    for (const [query, columns] of [
      ['url_counts', 'url, count'],
      ['device_counts', 'device, browser, count'],
      ['user_activity', 'user_id, events, clicks, views, scrolls, hovers, sessions, urls'],
    ]) {
      const read = (files: string): string =>
        `(SELECT CAST(window_start AS TIMESTAMPTZ) AS w, ${columns} FROM read_json('${join(folder, files)}', format = 'newline_delimited'))`
      const ours = read(`out/${query}/*.ndjson`)
      const theirs = `(SELECT * FROM ${read(`duckdb/${query}.ndjson`)} WHERE w <= (SELECT max(w) FROM ${ours}))`
      const answer = await connection.runAndReadAll(
        `SELECT (SELECT count(*) FROM ${ours})::INTEGER AS rows, (SELECT count(*) FROM (FROM ${ours} EXCEPT ALL FROM ${theirs}))::INTEGER AS more,
          (SELECT count(*) FROM (FROM ${theirs} EXCEPT ALL FROM ${ours}))::INTEGER AS less`,
      )
      const [found] = answer.getRowObjectsJson() as { rows: number; more: number; less: number }[]
      assert.deepEqual([found?.more, found?.less], [0, 0], `${query}: rows that only one of them has`)
      assert.ok((found?.rows ?? 0) > 0 || rows < 1_000_000, `${query} has no rows`)
      process.stderr.write(`${query}: ${found?.rows} rows, the same in both\n`)
    }
  } finally {
    connection.closeSync()
    database.closeSync()
  }
}
