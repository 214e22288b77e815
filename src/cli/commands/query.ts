import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Option } from 'commander'
import { MillraceError } from '../../base/error.ts'
import { funnelSql } from '../../plan/funnel-sql.ts'
import { nameHint } from '../../plan/nearest-name.ts'
import type { QueryAnswer } from '../../sinks/duckdb/duckdb-query.ts'
import { settingOption } from '../config/apply.ts'
import type { DefineCommand } from '../define-command.ts'
import { showExamples } from '../help.ts'
import { homeAt } from '../home.ts'
import { collect, duration, wholeNumber } from '../options.ts'
import { choosePipeline, type PresetOptions } from '../preset-options.ts'
import { askOwner, QUERY_LIMITS, storeFile } from '../store-api.ts'
import { textTable } from '../text-table.ts'

const FORMATS = ['table', 'csv', 'ndjson', 'json'] as const

interface QueryOptions extends PresetOptions {
  readonly format: (typeof FORMATS)[number]
  readonly json?: boolean
  readonly file?: string
  readonly home?: string
  readonly folder?: readonly string[]
  readonly rows: number
  readonly timeout: number
  readonly funnel?: string
  readonly pipeline?: string
  readonly ties: string
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
    .option('--funnel <query>', "what a pipeline's funnel says of the rows that the SQL gives")
    .option('--pipeline <file>', 'the pipeline that has the funnel, unless a preset is named')
    .option('--ties <columns>', 'columns that order rows of the same time for a funnel, with commas', '')
    .addOption(settingOption('preset'))
    .addOption(settingOption('home'))
    .action(query)
  showExamples(command, [
    ["millrace query 'show tables'", 'what is there'],
    ["millrace query 'from page_metrics limit 10'", 'rows, also while a job writes them'],
    ["millrace query --folder out 'from page_metrics'", 'the files below out/page_metrics'],
    ["millrace query 'select ...' --format csv > rows.csv", 'for other programs'],
    ["millrace query --preset ecommerce --funnel checkout 'from raw_events'", 'the funnel over all that was kept'],
  ])
}

async function query(words: string, options: QueryOptions): Promise<void> {
  const sql = options.funnel === undefined ? words : await funnelOver(words, options.funnel, options)
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

/** The definition that the pipeline has, over rows of the past. */
async function funnelOver(rows: string, name: string, options: QueryOptions): Promise<string> {
  if (options.preset === undefined && options.pipeline === undefined) {
    throw new MillraceError('invalid-option', `the funnel "${name}" is of no pipeline`, {
      hint: 'name the pipeline that has it: --pipeline FILE or --preset NAME',
    })
  }
  const { queries } = await choosePipeline(options.pipeline, options)
  const query = queries.find((one) => one.name === name)
  if (!query) {
    const names = queries.map((one) => one.name)
    throw new MillraceError('invalid-option', `there is no query "${name}"`, { hint: nameHint(name, names) })
  }
  return funnelSql(query, rows, { ties: options.ties.split(',').filter((column) => column !== '') })
}

async function askFile(file: string, sql: string, options: QueryOptions, home: string): Promise<QueryAnswer> {
  const { queryFile } = await import('../../sinks/duckdb/duckdb-query.ts')
  const missing = options.folder?.find((folder) => !existsSync(folder))
  if (missing !== undefined) {
    throw new MillraceError('invalid-option', `there is no folder "${missing}"`, {
      hint: 'name the --output of a run; relative paths start at the folder that you are in',
    })
  }
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
