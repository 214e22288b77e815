import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readOutputLog } from '../../src/sinks/output-log.ts'
import { DELAY_MS } from './event-feed.ts'
import { expectedRows, type RowText, rowText } from './oracle.ts'
import type { Scene } from './scene.ts'
import { compareStores, duckRows, postgresRows, type StoreRows } from './stored-rows.ts'

/** What a run says at its end, as far as it is judged. */
export interface Summary {
  readonly rowsRead: number
  readonly fates: Readonly<Record<string, number>>
}

/** Compares every sink, the dead letters and the counts with what they have to be. */
export async function judge(
  scene: Pick<Scene, 'folder' | 'feed' | 'server' | 'store'>,
  summary: Summary,
): Promise<{ lost: number; duplicated: number; problems: string[] }> {
  const { folder, feed: fed } = scene
  const { url } = scene.server
  const expected = await expectedRows(join(folder, 'raw.ndjson'), DELAY_MS)
  const store = join(folder, 'home', 'results.duckdb')
  const problems: string[] = []
  const found: StoreRows[] = [
    ['closed in files', expected.closed, await fileRows(join(folder, 'out', 'closed'))],
    ['closed in rolled files', expected.closed, await fileRows(join(folder, 'out', 'rolled'))],
    [
      'closed in Parquet',
      expected.closed,
      await duckRows(undefined, `read_parquet('${join(folder, 'out', 'closed-parquet')}/*.parquet')`),
    ],
    ['closed in PostgreSQL', expected.closed, await postgresRows(url, 'closed')],
    ['live in PostgreSQL', expected.live, await postgresRows(url, 'live')],
  ]
  if (scene.store) {
    found.push(['closed in DuckDB', expected.closed, await duckRows(store, 'closed')])
    found.push(['live in DuckDB', expected.live, await duckRows(store, 'live')])
  }
  const { lost, duplicated } = compareStores(found, problems)
  problems.push(...(await unlistedFiles(join(folder, 'out', 'closed'))))
  const letters = await deadLetters(join(folder, 'checkpoint', 'dead-letters'))
  if (letters !== fed.malformed) problems.push(`${letters} dead letters for ${fed.malformed} broken lines`)
  const fates = Object.values(summary.fates).reduce((sum, rows) => sum + rows, 0)
  if (summary.rowsRead !== fed.sent || fates !== fed.sent) {
    problems.push(`${fed.sent} events sent, ${summary.rowsRead} read, ${fates} with a fate`)
  }
  return { lost, duplicated, problems }
}

async function fileRows(folder: string): Promise<RowText[]> {
  const rows: RowText[] = []
  for (const { files } of await readOutputLog(folder)) {
    for (const { path } of files) {
      for (const line of (await readFile(join(folder, path), 'utf8')).split('\n').filter((one) => one !== '')) {
        const row = JSON.parse(line) as Record<string, unknown>
        rows.push(rowText(Date.parse(String(row['window_start'])), row['page_url'], row['events'], row['revenue']))
      }
    }
  }
  return rows.sort()
}

async function unlistedFiles(folder: string): Promise<string[]> {
  const listed = new Set((await readOutputLog(folder)).flatMap(({ files }) => files.map(({ path }) => path)))
  const there = (await readdir(folder)).filter((name) => name.endsWith('.ndjson'))
  return there.filter((name) => !listed.has(name)).map((name) => `${name} is there but not listed`)
}

/** Dead letters in a folder; NaN when one is there twice. */
export async function deadLetters(folder: string): Promise<number> {
  if (!existsSync(folder)) return 0
  const seen = new Set<string>()
  let lines = 0
  for (const name of await readdir(folder)) {
    for (const line of (await readFile(join(folder, name), 'utf8')).split('\n').filter((one) => one !== '')) {
      seen.add((JSON.parse(line) as { raw: string }).raw)
      lines++
    }
  }
  return seen.size === lines ? lines : Number.NaN
}
