import pg from 'pg'
import { difference, query, type RowText, rowText } from './oracle.ts'

/** Where rows are, what has to be there, and what is. */
export type StoreRows = readonly [where: string, wanted: readonly RowText[], there: readonly RowText[]]

/** Counts rows that are missing or too many, in all stores together, and says which. */
export function compareStores(
  stores: readonly StoreRows[],
  problems: string[],
): { readonly lost: number; readonly duplicated: number } {
  let [lost, duplicated] = [0, 0]
  for (const [where, wanted, there] of stores) {
    if (wanted.length === 0) problems.push(`${where}: the oracle has no rows, so nothing was tested`)
    const differing = difference(wanted, there)
    lost += differing.lost.length
    duplicated += differing.surplus.length
    if (differing.lost.length > 0) problems.push(`${where}: lost ${differing.lost.slice(0, 3).join(', ')}`)
    if (differing.surplus.length > 0) problems.push(`${where}: surplus ${differing.surplus.slice(0, 3).join(', ')}`)
  }
  return { lost, duplicated }
}

/** Of a table in a database file, or of files that a function of DuckDB reads. */
export async function duckRows(file: string | undefined, table: string): Promise<RowText[]> {
  const rows = await query(file, `select epoch_ms(window_start) as start_ms, page_url, events, revenue from ${table}`)
  return rows.map((row) => rowText(Number(row['start_ms']), row['page_url'], row['events'], row['revenue'])).sort()
}

export async function postgresRows(url: string, table: string): Promise<RowText[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, unknown>>(
      `select extract(epoch from window_start) * 1000 as start_ms, page_url, events, revenue from ${table}`,
    )
    return rows.map((row) => rowText(Number(row['start_ms']), row['page_url'], row['events'], row['revenue'])).sort()
  } finally {
    await client.end()
  }
}
