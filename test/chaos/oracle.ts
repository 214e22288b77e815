import { DuckDBInstance } from '@duckdb/node-api'

/** A result row as text, so that rows of any store can be compared: `window_start|page_url|events|revenue`. */
export type RowText = string

/** What each sink has to hold: computed by DuckDB over the raw lines, with nothing of Millrace in between. */
export interface Expected {
  /** Windows that have closed. */
  readonly closed: readonly RowText[]
  /** All windows. */
  readonly live: readonly RowText[]
}

/** Groups the lines of a file that are JSON by window of a second and page. */
export async function expectedRows(rawFile: string, delayMs: number): Promise<Expected> {
  const rows = await query(
    undefined,
    `with raw as (
       select event_time, page_url, amount from read_csv('${rawFile}', columns = {'line': 'varchar'}, header = false, delim = '\x01', quote = '', escape = ''),
         lateral (select json_valid(line) as fine), lateral (select line ->> 'event_time' as event_time, line ->> 'page_url' as page_url, (line ->> 'amount')::decimal(18,2) as amount)
       where fine),
     events as (select epoch_ms(event_time::timestamptz) as at_ms, page_url, amount from raw)
     select (at_ms // 1000) * 1000 as start_ms, page_url, count(*) as events, sum(amount)::decimal(18,2) as revenue,
            (at_ms // 1000) * 1000 + 1000 <= (select max(at_ms) from events) - ${delayMs} as closed
     from events group by all`,
  )
  const text = (row: Row): RowText => rowText(Number(row['start_ms']), row['page_url'], row['events'], row['revenue'])
  return {
    closed: rows
      .filter((row) => row['closed'] === true)
      .map(text)
      .sort(),
    live: rows.map(text).sort(),
  }
}

/** One spelling for a row, wherever it comes from. */
export function rowText(startMs: number, page: unknown, events: unknown, revenue: unknown): RowText {
  return `${new Date(startMs).toISOString()}|${page === null ? '(null)' : String(page)}|${Number(events)}|${Number(revenue).toFixed(2)}`
}

/** A row of a query. */
export type Row = Record<string, unknown>

/** Asks a database file, or one in memory. */
export async function query(file: string | undefined, sql: string): Promise<Row[]> {
  const instance = await DuckDBInstance.create(
    file ?? ':memory:',
    file === undefined ? {} : { access_mode: 'READ_ONLY' },
  )
  const connection = await instance.connect()
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson() as Row[]
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** What one list has and the other lacks, counting repetitions. */
export function difference(
  expected: readonly RowText[],
  found: readonly RowText[],
): { lost: RowText[]; surplus: RowText[] } {
  const counts = new Map<RowText, number>()
  for (const row of expected) counts.set(row, (counts.get(row) ?? 0) + 1)
  const surplus: RowText[] = []
  for (const row of found) {
    const left = counts.get(row) ?? 0
    if (left > 0) counts.set(row, left - 1)
    else surplus.push(row)
  }
  const lost = [...counts].flatMap(([row, left]) => Array.from({ length: left }, () => row))
  return { lost, surplus }
}
