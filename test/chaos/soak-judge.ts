import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { LoadResult } from '../../src/generator/load.ts'
import { query, type RowText } from './oracle.ts'
import { soakTruth } from './soak-world.ts'
import { compareStores, duckRows, postgresRows } from './stored-rows.ts'

/** Compares every sink of the soak with what the generator's sequence comes to. */
export async function judgeSoak(
  { folder, server }: { readonly folder: string; readonly server: { readonly url: string } },
  result: LoadResult,
  problems: string[],
): Promise<{ lost: number; duplicated: number }> {
  const truth = soakTruth(result)
  const files = await fileRows(folder)
  const { lost, duplicated } = compareStores(
    [
      ['files', truth.pages, files],
      ['PostgreSQL', truth.pages, await postgresRows(server.url, 'pages')],
      ['DuckDB', truth.pages, await duckRows(join(folder, 'home', 'results.duckdb'), 'pages')],
    ],
    problems,
  )
  const sessions = `select sum(events)::bigint as events from ${parquetFiles(folder, 'sessions')}`
  const [sum] = files.length > 0 ? await query(undefined, sessions) : []
  if (Number(sum?.['events']) !== truth.events) {
    problems.push(`${truth.events} events are in sessions, ${String(sum?.['events'])} found`)
  }
  return { lost, duplicated }
}

/** DuckDB fails where no file is. */
async function fileRows(folder: string): Promise<RowText[]> {
  const names = await readdir(join(folder, 'out', 'pages')).catch(() => [])
  return names.some((name) => name.endsWith('.parquet')) ? duckRows(undefined, parquetFiles(folder, 'pages')) : []
}

function parquetFiles(folder: string, query: string): string {
  return `read_parquet('${join(folder, 'out', query)}/*.parquet')`
}
