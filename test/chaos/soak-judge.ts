import { join } from 'node:path'
import pg from 'pg'
import type { LoadResult } from '../../src/generator/load.ts'
import { difference, query, type RowText, rowText } from './oracle.ts'
import { soakTruth } from './soak-world.ts'

/** Compares every sink of the soak with what the generator's sequence comes to. */
export async function judgeSoak(
  { folder, server }: { readonly folder: string; readonly server: { readonly url: string } },
  result: LoadResult,
  problems: string[],
): Promise<{ lost: number; duplicated: number }> {
  const truth = soakTruth(result)
  const there: readonly [string, readonly RowText[]][] = [
    ['files', await duckRows(undefined, parquetFiles(folder, 'pages'))],
    ['PostgreSQL', await postgresRows(server.url)],
    ['DuckDB', await duckRows(join(folder, 'home', 'results.duckdb'), 'pages')],
  ]
  let [lost, duplicated] = [0, 0]
  for (const [where, found] of there) {
    const differing = difference(truth.pages, found)
    lost += differing.lost.length
    duplicated += differing.surplus.length
    if (differing.lost.length > 0) problems.push(`${where}: lost ${differing.lost.slice(0, 3).join(', ')}`)
    if (differing.surplus.length > 0) problems.push(`${where}: surplus ${differing.surplus.slice(0, 3).join(', ')}`)
  }
  const sessions = `select sum(events)::bigint as events from ${parquetFiles(folder, 'sessions')}`
  const [sum] = await query(undefined, sessions)
  if (Number(sum?.['events']) !== truth.events) {
    problems.push(`${truth.events} events are in sessions, ${String(sum?.['events'])} found`)
  }
  return { lost, duplicated }
}

function parquetFiles(folder: string, query: string): string {
  return `read_parquet('${join(folder, 'out', query)}/*.parquet')`
}

async function duckRows(file: string | undefined, table: string): Promise<RowText[]> {
  const rows = await query(file, `select epoch_ms(window_start) as start_ms, page_url, events, revenue from ${table}`)
  return rows.map((row) => rowText(Number(row['start_ms']), row['page_url'], row['events'], row['revenue']))
}

async function postgresRows(url: string): Promise<RowText[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, unknown>>(
      'select extract(epoch from window_start) * 1000 as start_ms, page_url, events, revenue from pages',
    )
    return rows.map((row) => rowText(Number(row['start_ms']), row['page_url'], row['events'], row['revenue']))
  } finally {
    await client.end()
  }
}
