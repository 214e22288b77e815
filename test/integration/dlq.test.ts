import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { testPostgres } from '../support/postgres.ts'
import { requirement } from '../support/requirement.ts'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'

const HEAD = `
import { col, count, defineSchema, duckdb, eq, logSource, not, pipeline, postgres, stream, text, timestamp, tumbling } from 'millrace'

const schema = defineSchema({ event_id: text(), event_time: timestamp({ required: true }), page_url: text() })
const events = stream(logSource('events'), schema).where(not(eq(col('page_url'), '/health'))).withWatermark('event_time', '1s')
const views = events.groupBy('page_url').window(tumbling('1 minute')).aggregate({ views: count() })
`
const PIPELINE = `${HEAD}export default pipeline('views').query('views', views, [duckdb('views', { mode: 'update' })])`
const TO_POSTGRES = `${HEAD}export default pipeline('views').query('views', views, [postgres('views', { mode: 'update' })])`

const event = (id: string, time: string, page: string): string =>
  `${JSON.stringify({ event_id: id, event_time: `2026-11-24T10:${time}Z`, page_url: page })}\n`

test('dead letters are listed, explained, corrected and resent; the corrected event counts once', async (t) => {
  const { millrace, send } = await home(t, PIPELINE)
  await send(event('a', '00:10', '/home') + event('b', '05:00', '/home') + event('h', '05:01', '/health'))
  await millrace('run', 'pipeline.ts', '--once', '--checkpoint', 'home/checkpoints/views')
  await send(`${event('late', '00:20', '/home')}{"event_id":"broken","event_time":"2026-11-24T10:05:02Z"\n`)
  await millrace('run', 'pipeline.ts', '--once', '--checkpoint', 'home/checkpoints/views')
  const listed = JSON.parse(await millrace('dlq', 'list', '--json')) as { id: string; fate: string; raw: string }[]
  assert.deepEqual(
    listed.map(({ id, fate }) => [id, fate]),
    [
      ['events-0/3', 'late'],
      ['events-0/4', 'malformed'],
    ],
  )
  const explain = async (id: string): Promise<Record<string, unknown>> =>
    JSON.parse(await millrace('explain-event', id, 'pipeline.ts', '--json')) as Record<string, unknown>
  const accepted = await explain('b')
  assert.equal(accepted['fate'], 'accepted')
  assert.equal(accepted['position'], 'events-0/1')
  assert.deepEqual(accepted['windows'], [
    {
      query: 'views',
      start: '2026-11-24T10:05:00.000Z',
      end: '2026-11-24T10:06:00.000Z',
      closed: false,
      sinks: ['views.duckdb'],
    },
  ])
  assert.equal((await explain('events-0/2'))['fate'], 'filtered')
  const late = await explain('late')
  assert.equal(late['fate'], 'late')
  assert.equal(late['watermarkThen'], '2026-11-24T10:04:59.000Z')
  assert.deepEqual(late['windowsMissed'], [
    { query: 'views', start: '2026-11-24T10:00:00.000Z', end: '2026-11-24T10:01:00.000Z' },
  ])

  const corrected = '{"event_id":"broken","event_time":"2026-11-24T10:05:02Z","page_url":"/home"}'
  assert.deepEqual(JSON.parse(await millrace('dlq', 'resend', 'events-0/4', '--value', corrected, '--json')), {
    resent: 1,
    skipped: 0,
  })
  assert.deepEqual(JSON.parse(await millrace('dlq', 'resend', 'events-0/4', '--value', corrected, '--json')), {
    resent: 0,
    skipped: 1,
  })
  assert.equal((await explain('events-0/5'))['fate'], 'not read yet')
  await millrace('run', 'pipeline.ts', '--once', '--checkpoint', 'home/checkpoints/views')
  const resent = await explain('events-0/5')
  assert.equal(resent['fate'], 'accepted')
  assert.match(String(resent['event']), /^\{"_resent_from":"events-0\/4",/)
  assert.equal(
    await millrace('query', 'select window_start, views from views order by 1', '--format', 'csv'),
    'window_start,views\n2026-11-24T10:00:00.000Z,1\n2026-11-24T10:05:00.000Z,2\n',
  )
  const shown = JSON.parse(await millrace('dlq', 'show', 'events-0/4')) as { resent: string }
  assert.equal(shown.resent, 'events-0/5')
})

test('a checkpoint is inspected: epochs, offsets and a ledger that adds up', async (t) => {
  const { millrace, send } = await home(t, PIPELINE)
  await send(`${event('a', '00:10', '/home')}${event('h', '05:01', '/health')}nonsense\n`)
  await millrace('run', 'pipeline.ts', '--once', '--checkpoint', 'home/checkpoints/views')
  const look = async (what: string): Promise<Record<string, unknown>[]> =>
    JSON.parse(await millrace('inspect', what, '--json')) as Record<string, unknown>[]
  assert.deepEqual(await look('offsets'), [{ partition: 'events-0', nextOffset: 3 }])
  const ledger = await look('ledger')
  const rowsOf = (fate: string): unknown => ledger.find((entry) => entry['fate'] === fate)?.['rows']
  assert.deepEqual(['accepted', 'filtered', 'malformed', 'late', 'read'].map(rowsOf), [1, 1, 1, 0, 3])
  const epochs = await look('epochs')
  assert.deepEqual(
    epochs.map(({ epoch, state, rows, ranges }) => ({ epoch, state, rows, ranges })),
    [{ epoch: 1, state: 'committed', rows: 3, ranges: 'events-0:0-3' }],
  )
  assert.equal((await look('checkpoint'))[0]?.['lastCertainEpoch'], 1)
  assert.deepEqual(
    (await look('state')).map(({ afterEpoch, damage }) => ({ afterEpoch, damage })),
    [
      { afterEpoch: 0, damage: null },
      { afterEpoch: 1, damage: null },
    ],
  )
})

describe('rows that a table refused', requirement('postgres'), () => {
  const postgres = testPostgres()

  test('are listed, and resent into the table once it takes them', async (t) => {
    const url = await postgres.database()
    await postgres.query(
      url,
      'create table views (window_start timestamptz, window_end timestamptz, page_url varchar(5) unique, views bigint, unique nulls not distinct (window_start, window_end, page_url))',
    )
    const { folder, millrace, send } = await home(t, TO_POSTGRES, url)
    await send(event('a', '00:10', '/home') + event('b', '00:20', '/much-too-long'))
    await millrace('run', 'pipeline.ts', '--once', '--checkpoint', 'home/checkpoints/views')
    const [row] = JSON.parse(await millrace('dlq', 'list', '--postgres', '--json')) as { id: string; code: string }[]
    assert.equal(row?.code, '22001')
    assert.equal(row.id, 'views.postgres@1.0')
    const refused = await runMillrace(['dlq', 'resend', row.id, '--postgres'], {
      cwd: folder,
      env: { DATABASE_URL: url },
    })
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /public.views refuses the row again/)
    await postgres.query(url, 'alter table views alter column page_url type text')
    await millrace('dlq', 'resend', row.id, '--postgres')
    assert.deepEqual(await postgres.query(url, 'select page_url, views from views order by 1'), [
      { page_url: '/home', views: '1' },
      { page_url: '/much-too-long', views: '1' },
    ])
    assert.deepEqual(JSON.parse(await millrace('dlq', 'list', '--postgres', '--json')), [])
  })
})

interface Home {
  readonly folder: string
  /** Runs a command that has to succeed; gives its stdout. */
  millrace(...args: readonly string[]): Promise<string>
  send(lines: string): Promise<void>
}

async function home(t: TestContext, pipeline: string, url?: string): Promise<Home> {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'pipeline.ts'), pipeline)
  const env = url === undefined ? {} : { DATABASE_URL: url }
  const millrace = async (args: readonly string[], input = ''): Promise<string> => {
    const run = await runMillrace(args, { cwd: folder, env, input })
    assert.equal(run.code, 0, `${args.join(' ')}\n${run.stderr}`)
    return run.stdout
  }
  return {
    folder,
    millrace: (...args) => millrace(args),
    async send(lines) {
      await millrace(['produce', '-', '--topic', 'events'], lines)
    },
  }
}
