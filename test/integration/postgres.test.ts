import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { testPostgres } from '../support/postgres.ts'
import { requirement } from '../support/requirement.ts'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'

const PIPELINE = `
import { count, defineSchema, logSource, pipeline, postgres, stream, text, timestamp, tumbling } from 'millrace'

const request = defineSchema({
  event_time: timestamp({ required: true }),
  page_url: text(),
})
const views = (mode) =>
  stream(logSource('events'), request).withWatermark('event_time', '1s').groupBy('page_url').window(tumbling('1 minute')).aggregate({ view_count: count() })

export default pipeline('page-views')
  .query('closed', views(), [postgres('page_view_counts', { key: ['window_start', 'window_end', 'page_url'] })])
  .query('live', views(), [postgres('live_view_counts', { mode: 'update' })])
`

describe('millrace run with PostgreSQL', requirement('postgres'), () => {
  const postgres = testPostgres()

  test('closed windows and values so far arrive once; a second run goes on; the names of the source systems work', async (t) => {
    const { run, produce, url } = await home(t)
    await produce([0, 10, 20, 61, 65], '/home')
    await produce([30, 70], null)
    assert.equal((await run(['--once'], partsOf(url))).code, 0)
    const closed = `select page_url, view_count, extract(epoch from window_end - window_start)::int as seconds
                    from page_view_counts order by 1 nulls last`
    const live = 'select page_url, view_count from live_view_counts order by window_start, page_url nulls last'
    assert.deepEqual(await postgres.query(url, closed), [
      { page_url: '/home', view_count: '3', seconds: 60 },
      { page_url: null, view_count: '1', seconds: 60 },
    ])
    assert.deepEqual(
      (await postgres.query(url, live)).map((row) => row['view_count']),
      ['3', '1', '2', '1'],
    )
    await produce([75], '/home')
    assert.equal((await run(['--once'], { DATABASE_URL: url })).code, 0)
    assert.deepEqual(
      (await postgres.query(url, live)).map((row) => row['view_count']),
      ['3', '1', '3', '1'],
    )
  })

  test('a restored older server gets the missing epochs again; one that knows nothing stops the run until it is told to go on', async (t) => {
    const { run, produce, url } = await home(t)
    const counts = 'select view_count from live_view_counts order by window_start, view_count'
    await produce([0, 1], '/home')
    await run(['--once'], { DATABASE_URL: url })
    const marks = await postgres.query(url, 'select * from millrace_progress')
    for (const second of [2, 61]) {
      await produce([second], '/home')
      await run(['--once'], { DATABASE_URL: url })
    }
    const expected = await postgres.query(url, counts)
    for (const { sink, epoch, hash } of marks) {
      await postgres.query(url, 'update millrace_progress set epoch = $2, hash = $3 where sink = $1', [
        sink,
        epoch,
        hash,
      ])
    }
    await postgres.query(url, 'update live_view_counts set view_count = 2 where view_count = 3')
    await postgres.query(url, 'delete from live_view_counts where view_count = 1')
    const again = await run(['--once'], { DATABASE_URL: url })
    assert.equal(again.code, 0, again.stderr)
    assert.deepEqual(await postgres.query(url, counts), expected)

    await postgres.query(url, 'drop table millrace_progress')
    const stopped = await run(['--once'], { DATABASE_URL: url })
    assert.equal(stopped.code, 4)
    assert.match(stopped.stderr, /has no mark of the sink closed.postgres.*\n.*--reset-sink closed.postgres/)
    const both = ['--reset-sink', 'closed.postgres', '--reset-sink', 'live.postgres']
    const reset = await run(['--once', ...both], { DATABASE_URL: url })
    assert.equal(reset.code, 0, reset.stderr)
    const onwards = await run(['--once'], { DATABASE_URL: url })
    assert.equal(onwards.code, 0, onwards.stderr)
  })

  async function home(t: TestContext): Promise<{
    url: string
    run: (args: readonly string[], env: Readonly<Record<string, string>>) => ReturnType<typeof runMillrace>
    produce: (seconds: readonly number[], page: string | null) => Promise<void>
  }> {
    const folder = await temporaryFolder(t)
    const url = await postgres.database()
    await writeFile(join(folder, 'pipeline.ts'), PIPELINE)
    return {
      url,
      run: (args, env) =>
        runMillrace(['run', 'pipeline.ts', '--checkpoint', 'checkpoint', ...args], { cwd: folder, env }),
      async produce(seconds, page) {
        const lines = seconds.map((second) =>
          JSON.stringify({
            event_time: new Date(Date.UTC(2026, 10, 24) + second * 1000).toISOString(),
            page_url: page,
          }),
        )
        const { code, stderr } = await runMillrace(['produce', '-', '--topic', 'events'], {
          cwd: folder,
          input: `${lines.join('\n')}\n`,
        })
        assert.equal(code, 0, stderr)
      },
    }
  }
})

function partsOf(url: string): Record<string, string> {
  const { username, password, hostname, port, pathname } = new URL(url)
  return { DB_USER: username, DB_PASSWORD: password, DB_NAME: pathname.slice(1), DB_HOST: hostname, DB_PORT: port }
}
