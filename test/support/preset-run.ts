import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { runMillrace, temporaryFolder } from './run-millrace.ts'

/** Events of a preset in a topic of their own, made by the command, with the same lines in files. */
export interface PresetEvents {
  readonly folder: string
  /** Pattern of files, one for each partition: every record's value, one on a line. */
  readonly files: string
}

/** What `run --json` ends with, as far as the tests look at it. */
export interface PresetSummary {
  readonly rowsRead: number
  readonly fates: Readonly<Record<string, number>>
  readonly queries: Readonly<Record<string, { readonly rows: number }>>
}

/** Whose event closes all windows before it, where a run is not flushed. */
export const CLOSING_USER = 'closing'

/** Generates events of a preset, whose times lie in the past and as far apart as the options say. */
export async function generatePreset(t: TestContext, preset: string, ...options: string[]): Promise<PresetEvents> {
  const folder = await temporaryFolder(t)
  const start = ['--start', '2026-11-24T12:00:00Z', '--flat-out', '--topic', 'generated']
  await succeed(['generate', '--preset', preset, ...start, ...options], folder)
  const peeked = await succeed(['topics', 'peek', 'generated', '--count', '1000000000', '--json'], folder)
  const records = peeked
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { partition: number; value: string })
  for (const [partition, values] of Map.groupBy(records, (record) => record.partition)) {
    await writeFile(join(folder, `generated-${partition}.ndjson`), values.map(({ value }) => `${value}\n`).join(''))
  }
  return { folder, files: join(folder, 'generated-*.ndjson') }
}

/** Runs a preset over the events to their end; from the files or through the log. */
export async function runPreset(
  preset: string,
  { folder, files }: PresetEvents,
  from: 'files' | 'log',
  ...options: string[]
): Promise<PresetSummary> {
  const input = from === 'files' ? ['--input', files] : ['generated']
  const args = ['run', '--preset', preset, ...input, '--once', '--json', '--output', 'out', '--replace', ...options]
  return JSON.parse(await succeed(args, folder)) as PresetSummary
}

/** Asks DuckDB in UTC; `{out}` and `{files}` in the text stand for the output folder and the files of events. */
export async function askDuckDb(sql: string, { folder, files }: PresetEvents): Promise<Record<string, unknown>[]> {
  const database = await DuckDBInstance.create(':memory:')
  const connection = await database.connect()
  try {
    await connection.run("SET TimeZone = 'UTC'")
    const text = sql.replaceAll('{out}', join(folder, 'out')).replaceAll('{files}', files)
    return (await connection.runAndReadAll(text)).getRowObjectsJson() as Record<string, unknown>[]
  } finally {
    connection.closeSync()
    database.closeSync()
  }
}

/** Both questions have the same, not empty, answer. */
export async function assertSameRows(events: PresetEvents, actualSql: string, expectedSql: string): Promise<number> {
  const [actual, expected] = await Promise.all([askDuckDb(actualSql, events), askDuckDb(expectedSql, events)])
  assert.ok(expected.length > 0, expectedSql)
  assert.deepEqual(actual, expected)
  return expected.length
}

/** Runs the command; its standard output. */
export async function succeed(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const run = await runMillrace(args, { cwd, env })
  assert.equal(run.code, 0, run.stderr)
  return run.stdout
}
