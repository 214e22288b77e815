import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../../src/base/error.ts'
import { askOwner, QUERY_LIMITS } from '../../src/cli/store-api.ts'
import { queryFile } from '../../src/sinks/duckdb/duckdb-query.ts'
import { PROGRAM, type Run, runMillrace, temporaryFolder } from '../support/run-millrace.ts'

const PIPELINE = `
import { count, defineSchema, duckdb, jsonLines, logSource, pipeline, stream, sum, text, decimal, timestamp, tumbling } from 'millrace'

const schema = defineSchema({ event_time: timestamp({ required: true }), page_url: text(), amount: decimal(2) })
const views = stream(logSource('events'), schema).withWatermark('event_time', '1s').groupBy('page_url').window(tumbling('1 minute'))
  .aggregate({ views: count(), revenue: sum('amount') })

export default pipeline('views').query('views', views, [duckdb('views', { mode: 'update' }), jsonLines('out/views')])
`
const EVENTS = [
  { event_time: '2026-11-24T10:00:00Z', page_url: '/home', amount: 1.25 },
  { event_time: '2026-11-24T10:00:01Z', page_url: '=cmd|"a",b', amount: null },
  { event_time: '2026-11-24T10:00:02Z', page_url: '/home\u001b[31m', amount: 2 },
  { event_time: '2026-11-24T10:05:00Z', page_url: null, amount: 3 },
]
const ALL = 'select window_start, page_url, views, revenue from views order by all'

test('the result store is asked while a job writes to it, and after', async (t) => {
  const { folder, ask } = await home(t)
  const child = spawn(process.execPath, [PROGRAM, 'run', 'pipeline.ts'], {
    cwd: folder,
    env: { ...process.env, MILLRACE_HOME: join(folder, 'home') },
  })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const announced = join(folder, 'home', 'results.duckdb.api.json')
  const rows = async (): Promise<string> => (await ask(ALL, '--format', 'ndjson')).stdout
  while (!(await stat(announced).catch(() => undefined)) || (await rows()).split('\n').length < 5) {
    assert.equal(child.exitCode, null, `the job runs: ${said}`)
    await sleep(50)
  }
  assert.equal((await stat(announced)).mode & 0o777, 0o600, 'only this user may read the token')
  const live = await rows()
  assert.deepEqual(
    live
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown),
    [
      { window_start: '2026-11-24T10:00:00.000Z', page_url: '/home', views: 1, revenue: 1.25 },
      { window_start: '2026-11-24T10:00:00.000Z', page_url: '/home\u001b[31m', views: 1, revenue: 2 },
      { window_start: '2026-11-24T10:00:00.000Z', page_url: '=cmd|"a",b', views: 1, revenue: null },
      { window_start: '2026-11-24T10:05:00.000Z', page_url: null, views: 1, revenue: 3 },
    ],
  )
  const store = join(folder, 'home', 'results.duckdb')
  await assertHarmless(folder, (sql) => askOwner(store, sql))
  await assertApiIsGuarded(announced)
  // A killed job takes nothing back: the store must be found all the same.
  child.kill('SIGKILL')
  await new Promise((done) => child.once('close', done))
  assert.equal(await rows(), live)
  await assertHarmless(folder, (sql) => queryFile(store, sql, [join(folder, 'out')], QUERY_LIMITS))
})

test('rows come as a table, CSV or JSON; limits are kept and said', async (t) => {
  const { folder, ask } = await home(t)
  assert.equal((await runMillrace(['run', 'pipeline.ts', '--once', '--checkpoint', 'c'], { cwd: folder })).code, 0)
  assert.equal(
    (await ask(ALL)).stdout,
    [
      'window_start              page_url    views  revenue',
      '2026-11-24T10:00:00.000Z  /home           1     1.25',
      '2026-11-24T10:00:00.000Z  /home�[31m      1        2',
      '2026-11-24T10:00:00.000Z  =cmd|"a",b      1',
      '2026-11-24T10:05:00.000Z                  1        3',
      '',
    ].join('\n'),
  )
  assert.equal(
    (await ask("select page_url, views from views where page_url like '=%'", '--format', 'csv')).stdout,
    'page_url,views\n"\'=cmd|""a"",b",1\n',
  )
  assert.deepEqual(JSON.parse((await ask('select sum(views)::bigint as n from views', '--format', 'json')).stdout), {
    columns: [{ name: 'n', type: 'BIGINT' }],
    rows: [[4]],
    truncated: false,
  })
  const few = await ask('from range(100)', '--rows', '3', '--format', 'csv')
  assert.equal(few.stdout, 'range\n0\n1\n2\n')
  assert.match(few.stderr, /more rows than these 3/)
  const long = await ask('select count(*) from range(100000000000) a where sin(a.range) > 2', '--timeout', '200ms')
  assert.equal(long.code, 2)
  assert.match(long.stderr, /took longer than 200 ms/)
})

interface Home {
  readonly folder: string
  ask(sql: string, ...args: readonly string[]): Promise<Run>
}

/** Answers a question, or throws what it was refused with. */
type Ask = (sql: string) => Promise<unknown>

/** Whoever writes the SQL, nothing is changed and nothing else of the machine is read. */
async function assertHarmless(folder: string, ask: Ask): Promise<void> {
  await writeFile(join(folder, 'secret.csv'), 'canary\n')
  for (const sql of [
    `select * from read_csv('${join(folder, 'secret.csv')}')`,
    `select * from read_csv('${join(folder, 'out', '..', 'secret.csv')}')`,
    `select * from read_text('/etc/passwd')`,
    `copy views to '${join(folder, 'stolen.csv')}'`,
    `attach '${join(folder, 'other.duckdb')}'`,
    'drop table views',
    'update millrace_progress set epoch = 0',
    'select 1; drop table views',
    'commit; drop table views',
    'set enable_external_access = true',
    'install httpfs',
    'pragma database_size; drop table views',
  ]) {
    await assert.rejects(
      ask(sql),
      (error: unknown) => {
        assert.doesNotMatch(String(error), /canary|root:/, sql)
        return error instanceof MillraceError
      },
      sql,
    )
  }
  assert.deepEqual(await ask('select count(*) as n from views'), {
    columns: [{ name: 'n', type: 'BIGINT' }],
    rows: [[4]],
    truncated: false,
  })
}

async function assertApiIsGuarded(announced: string): Promise<void> {
  const { url, token } = JSON.parse(await readFile(announced, 'utf8')) as { url: string; token: string }
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const post = async (change: Record<string, string>, body = '{"sql":"select 1"}'): Promise<number> =>
    (await fetch(`${url}/api/query`, { method: 'POST', headers: { ...headers, ...change }, body })).status
  assert.equal(await post({}), 200)
  assert.equal(await post({ authorization: 'Bearer wrong' }), 401)
  assert.equal(await post({ origin: 'https://evil.example' }), 403)
  assert.equal(await post({ 'content-type': 'text/plain' }), 400)
  assert.equal(await post({}, '{"sql":1}'), 400)
  assert.equal(await post({}, JSON.stringify({ sql: `select 1 -- ${'x'.repeat(100_000)}` })).catch(() => 400), 400)
  assert.equal((await fetch(`${url}/api/query`, { headers })).status, 404)
}

async function home(t: TestContext): Promise<Home> {
  const folder = await temporaryFolder(t)
  await mkdir(join(folder, 'out'))
  await writeFile(join(folder, 'pipeline.ts'), PIPELINE)
  const input = EVENTS.map((event) => `${JSON.stringify(event)}\n`).join('')
  const { code, stderr } = await runMillrace(['produce', '-', '--topic', 'events'], { cwd: folder, input })
  assert.equal(code, 0, stderr)
  return { folder, ask: (sql, ...args) => runMillrace(['query', sql, ...args], { cwd: folder }) }
}
