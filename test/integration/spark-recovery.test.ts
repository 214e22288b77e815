import assert from 'node:assert/strict'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { type SparkServer, startSparkServer, stopSparkServer } from '../../scripts/spark-server.ts'
import { sinkBatches } from '../../src/cli/spark/sink-log.ts'
import type { JobStatus } from '../../src/server/api.ts'
import { testPostgres } from '../support/postgres.ts'
import { requirement } from '../support/requirement.ts'
import { type Running, startMillrace, temporaryFolder } from '../support/run-millrace.ts'
import { freePort } from '../support/spark.ts'
import { startTlsProxy } from '../support/tls-proxy.ts'

const PIPELINE = `import { count, decimal, defineSchema, duckdb, fileSource, parquet, pipeline, postgres, stream, sum, text, timestamp, tumbling } from 'millrace'
const shop = defineSchema({ at: timestamp({ required: true }), page: text(), amount: decimal(2) })
const pages = stream(fileSource('in/*.ndjson'), shop)
  .withWatermark('at', '10 seconds')
  .groupBy('page')
  .window(tumbling('1 minute'))
  .aggregate({ views: count(), amount: sum('amount') })
export default pipeline('shop').query('pages', pages, [parquet('out'), postgres('pages'), duckdb('pages', { file: 'pages.duckdb' })])
`

const FULL = process.env['MILLRACE_TEST_SCALE'] === 'full'
const PAGES = ['/', '/käse', null, '/a b,"c"']
const TOKEN = 'only-for-this-test'
const KILLS = FULL ? 5 : 1
const PIECE_EVENTS = 600
const FAILPOINTS = FULL
  ? ['postgres', 'duckdb'].flatMap((sink) =>
      ['after-mark', 'before-commit', 'after-commit'].map((step) => `${sink}:${step}`),
    )
  : ['postgres:after-commit:2']
const postgres = testPostgres()

describe('a server of Spark that is killed', {
  skip: requirement('spark').skip || requirement('postgres').skip,
}, () => {
  test('goes on from its checkpoint, over TLS and with a token: files and tables have each row once, whoever else dies', async (t) => {
    const shop = await openShop(t)
    await shop.bring(2)
    await shop.isRefused({ SPARK_CONNECT_AUTHENTICATE_TOKEN: 'wrong' }, /put the token that the server wants into/)
    await shop.isRefused({ GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: '' }, /name the PEM file of whom to trust/)
    for (const failpoint of FAILPOINTS) {
      // While one table waited for its failpoint the other one may have taken everything.
      await shop.bring(1)
      await shop.dies(failpoint)
    }
    const run = shop.start('--metrics-port', '0')
    const [, metrics] = await run.says(/metrics {2}(http\S+)/)
    await run.says(/running on Spark/)
    for (let kill = 0; kill < KILLS; kill++) {
      await shop.bring(2)
      await sleep(700)
      await shop.killServer()
      await run.says(/trying again/)
      await shop.bring(1)
      await shop.startServer()
      await run.says(new RegExp(`(Spark is there again[^]*){${kill + 1}}`))
    }
    await untilShown(metrics as string)
    await pageTells(metrics as string)
    run.child.kill('SIGINT')
    const { code, stderr } = await run.ended
    assert.equal(code, 0, stderr)
    await shop.bring(1)
    await shop.close()
    const last = await shop.start('--once').ended
    assert.equal(last.code, 0, last.stderr)

    const expected = shop.expected()
    assert.equal(expected.length, (3 + FAILPOINTS.length + 3 * KILLS) * 10 * PAGES.length)
    assert.deepEqual(await shop.inFiles(), expected)
    assert.deepEqual(await shop.inDuckDb(), expected)
    assert.deepEqual(await shop.inPostgres(), expected)
  })
})

/** Resolves when the metrics tell of a micro-batch of each query after the last start. */
async function untilShown(url: string): Promise<void> {
  const wanted = ['pages.parquet', 'pages.postgres', 'pages.duckdb'].flatMap((query) => [
    `millrace_spark_query_running{query="${query}"} 1\n`,
    `millrace_spark_query_restarts_total{query="${query}"} ${KILLS}\n`,
    `millrace_spark_batches_total{query="${query}"} `,
  ])
  for (;;) {
    const text = await (await fetch(url)).text()
    if (wanted.every((one) => text.includes(one))) return
    await sleep(100)
  }
}

/** The page and its API are where the metrics are. */
async function pageTells(metrics: string): Promise<void> {
  const answer = await fetch(new URL('/api/status', metrics))
  const { pipeline, spark } = (await answer.json()) as JobStatus
  assert.equal(pipeline, 'shop')
  const told = spark?.map(({ name, state, restarts }) => [name, state, restarts])
  const expected = ['pages.parquet', 'pages.postgres', 'pages.duckdb'].map((name) => [name, 'running', KILLS])
  assert.deepEqual(told?.sort(), expected.sort())
}

/** A folder into which events come piece by piece, a server, and what has become of the events. */
interface Shop {
  /** Events of so many more ten minutes. */
  bring(pieces: number): Promise<void>
  /** An event that is so much later that all windows before it are over. */
  close(): Promise<void>
  start(...options: readonly string[]): Running
  /** Runs until a failpoint kills the process. */
  dies(failpoint: string): Promise<void>
  /** A run with other settings ends at once, and says what to do. */
  isRefused(env: Readonly<Record<string, string>>, hint: RegExp): Promise<void>
  killServer(): Promise<void>
  startServer(): Promise<void>
  /** Rows as texts, sorted: from the events themselves, and from each sink. */
  expected(): string[]
  inFiles(): Promise<string[]>
  inDuckDb(): Promise<string[]>
  inPostgres(): Promise<string[]>
}

async function openShop(t: TestContext): Promise<Shop> {
  const folder = await temporaryFolder(t)
  const url = await postgres.database()
  const server = ownServer(t, folder, await freePort())
  await server.startServer()
  const proxy = await startTlsProxy(t, folder, server.port)
  await mkdir(join(folder, 'in'))
  await writeFile(join(folder, 'shop.ts'), PIPELINE)
  const settings = {
    MILLRACE_POSTGRES_URL: url,
    GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: proxy.certificateFile,
    SPARK_CONNECT_AUTHENTICATE_TOKEN: TOKEN,
  }
  const start = (options: readonly string[], env: Readonly<Record<string, string>> = {}): Running => {
    const where = `--remote sc://localhost:${proxy.port}/;use_ssl=true --checkpoint-root checkpoints --relay relay`
    const args = `${where} --trigger 100ms --shuffle-partitions 1`.split(' ')
    return startMillrace(t, ['spark', 'run', 'shop.ts', ...args, ...options], {
      cwd: folder,
      env: { ...settings, ...env },
    })
  }
  return {
    ...feed(join(folder, 'in')),
    start: (...options) => start(options),
    async dies(failpoint) {
      const { child, ended } = start([], { MILLRACE_FAILPOINT: failpoint })
      const { stderr } = await ended
      assert.equal(child.signalCode, 'SIGKILL', stderr)
    },
    async isRefused(env, hint) {
      const { code, stderr } = await start([], env).ended
      assert.match(stderr, hint)
      assert.equal(code, 2, stderr)
    },
    ...server,
    ...readers(folder, url),
  }
}

/** A server that is not shared, since it is killed. */
function ownServer(
  t: TestContext,
  folder: string,
  port: number,
): Pick<Shop, 'startServer' | 'killServer'> & { readonly port: number } {
  let server: SparkServer | undefined
  const killServer = async (): Promise<void> => {
    if (server) await stopSparkServer(server, 'SIGKILL')
  }
  t.after(killServer)
  return {
    port,
    killServer,
    async startServer() {
      server = await startSparkServer({ folder: join(folder, 'server'), port, shortLived: true, token: TOKEN })
    },
  }
}

/** Files of events that come one by one. */
function feed(folder: string): Pick<Shop, 'bring' | 'close' | 'expected'> {
  const events: Event[] = []
  let files = 0
  const write = async (own: readonly Event[]): Promise<void> => {
    const path = join(folder, `${String(files++).padStart(4, '0')}.ndjson`)
    await writeFile(`${path}.part`, own.map((event) => `${JSON.stringify(event)}\n`).join(''))
    await rename(`${path}.part`, path)
  }
  return {
    async bring(pieces) {
      for (let piece = 0; piece < pieces; piece++) {
        const own = Array.from({ length: PIECE_EVENTS }, (_, index) => eventAt(events.length + index))
        events.push(...own)
        await write(own)
      }
    },
    close: () => write([{ ...eventAt(events.length + 100_000), page: 'closing' }]),
    expected: () => countedRows(events),
  }
}

/** What is in each sink. */
function readers(folder: string, url: string): Pick<Shop, 'inFiles' | 'inDuckDb' | 'inPostgres'> {
  const columns = `epoch_ms(window_start)::bigint as start, page, views::bigint as views, amount::varchar as amount`
  return {
    async inFiles() {
      // Files that are not in the log of the folder are of attempts that failed.
      const paths = (await sinkBatches(join(folder, 'out'), 0)).flatMap((batch) => batch.files)
      const list = paths.map((path) => `'${path}'`).join(', ')
      return duckDbRows(':memory:', `select ${columns} from read_parquet([${list}])`)
    },
    inDuckDb: () => duckDbRows(join(folder, 'pages.duckdb'), `select ${columns} from pages`),
    async inPostgres() {
      const start = '(extract(epoch from window_start) * 1000)::bigint::text as start'
      const rows = await postgres.query(url, `select ${start}, page, views, amount::text as amount from pages`)
      return rows.map(rowText).sort()
    },
  }
}

interface Event {
  readonly at: string
  readonly page: string | null
  readonly amount: number | null
}

/** Events come in order, one each second, so that none is late. */
function eventAt(second: number): Event {
  const page = PAGES[(second * 7) % PAGES.length] as string | null
  return {
    at: new Date(Date.UTC(2026, 0, 1) + second * 1_000).toISOString(),
    page,
    amount: second % 5 === 0 ? null : (second % 1_000) + 0.25,
  }
}

/** Counted the slow and obvious way. */
function countedRows(events: readonly Event[]): string[] {
  const groups = Map.groupBy(events, ({ at, page }) => JSON.stringify([`${at.slice(0, 16)}:00Z`, page]))
  return [...groups]
    .map(([key, own]) => {
      const [start, page] = JSON.parse(key) as [string, string | null]
      const cents = own.reduce((sum, { amount }) => sum + Math.round((amount ?? 0) * 100), 0)
      return rowText({ start: Date.parse(start), page, views: own.length, amount: (cents / 100).toFixed(2) })
    })
    .sort()
}

function rowText({ start, page, views, amount }: Readonly<Record<string, unknown>>): string {
  return JSON.stringify([String(start), page, String(views), amount])
}

async function duckDbRows(file: string, sql: string): Promise<string[]> {
  const database = await DuckDBInstance.create(file)
  const connection = await database.connect()
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson().map(rowText).sort()
  } finally {
    connection.closeSync()
    database.closeSync()
  }
}
