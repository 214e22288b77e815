import { join } from 'node:path'
import { Option } from 'commander'
import type { QueryAnswer } from '../../sinks/duckdb/duckdb-query.ts'
import { settingOption } from '../config/apply.ts'
import { showExamples } from '../help.ts'
import { homeAt } from '../home.ts'
import { collect, duration, wholeNumber } from '../options.ts'
import { askOwner, QUERY_LIMITS, storeFile } from '../store-api.ts'
import { textTable } from '../text-table.ts'
import type { DefineCommand } from './index.ts'

const FORMATS = ['table', 'csv', 'ndjson', 'json'] as const

interface QueryOptions {
  readonly format: (typeof FORMATS)[number]
  readonly json?: boolean
  readonly file?: string
  readonly home?: string
  readonly folder?: readonly string[]
  readonly rows: number
  readonly timeout: number
}

/** `millrace query`: SQL over the result store and the files of sinks. */
export const defineQuery: DefineCommand = (program) => {
  const command = program
    .command('query')
    .description('ask the result store, also while a job writes to it')
    .argument('<sql>', 'one SELECT; `show tables` lists what is there')
    .addOption(new Option('--format <format>', 'how rows are written').choices(FORMATS).default('table'))
    .option('--json', 'the same as --format json')
    .option('--file <file>', 'another store than results.duckdb in the home folder')
    .option(
      '--folder <folder>',
      'let the SQL read files below it, besides `output` in the home folder; each folder of files in it is a view',
      collect,
    )
    .option('--rows <count>', 'rows at most', wholeNumber, QUERY_LIMITS.rowsMax)
    .option('--timeout <duration>', 'time at most', duration, QUERY_LIMITS.timeoutMs)
    .addOption(settingOption('home'))
    .action(query)
  showExamples(command, [
    ["millrace query 'show tables'", 'what is there'],
    ["millrace query 'from page_metrics limit 10'", 'rows, also while a job writes them'],
    ["millrace query --folder out 'from page_metrics'", 'the files below out/page_metrics'],
    ["millrace query 'select ...' --format csv > rows.csv", 'for other programs'],
  ])
}

async function query(sql: string, options: QueryOptions): Promise<void> {
  const home = homeAt(options.home)
  const file = storeFile(options.file, home.path)
  const answer =
    ((await askOwner(file, sql)) as QueryAnswer | undefined) ?? (await askFile(file, sql, options, home.path))
  const limited = { ...answer, rows: answer.rows.slice(0, options.rows) }
  await write(text(limited, options.json ? 'json' : options.format))
  if (answer.truncated || limited.rows.length < answer.rows.length) {
    process.stderr.write(`there are more rows than these ${limited.rows.length}\n`)
  }
}

async function askFile(file: string, sql: string, options: QueryOptions, home: string): Promise<QueryAnswer> {
  const { queryFile } = await import('../../sinks/duckdb/duckdb-query.ts')
  const folders = [join(home, 'output'), ...(options.folder ?? [])]
  return queryFile(file, sql, folders, { rowsMax: options.rows, timeoutMs: options.timeout })
}

function text(answer: QueryAnswer, format: QueryOptions['format']): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(answer)}\n`
    case 'ndjson':
      return answer.rows
        .map(
          (row) =>
            `${JSON.stringify(Object.fromEntries(answer.columns.map(({ name }, index) => [name, row[index]])))}\n`,
        )
        .join('')
    case 'csv':
      return [answer.columns.map(({ name }) => name), ...answer.rows]
        .map((row) => `${row.map(csvCell).join(',')}\n`)
        .join('')
    case 'table':
      return table(answer)
  }
}

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return ''
  const cell = cellText(value)
  // As in the files: no spreadsheet shall take text for a formula.
  const guarded = typeof value === 'string' && /^[=+\-@\t\r\n]/.test(cell) ? `'${cell}` : cell
  return guarded === '' || /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded
}

function table({ columns, rows }: QueryAnswer): string {
  if (rows.length === 0) return `${columns.map(({ name }) => name).join('  ')}\n`
  // A query may name two columns alike, which an object could not hold.
  const keys = columns.map(({ name }, index) =>
    columns.findIndex((one) => one.name === name) === index ? name : `${name}_${index}`,
  )
  return textTable(rows.map((row) => Object.fromEntries(keys.map((key, index) => [key, row[index]]))))
}

function cellText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** A reader such as `head` may be slow, or go away. */
function write(text: string): Promise<void> {
  return new Promise((done) => process.stdout.write(text, () => done()))
}
