import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { readOutputLog } from '../../src/sinks/output-log.ts'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'

const PIPELINE = `
import { count, defineSchema, duckdb, jsonLines, logSource, pipeline, stream, text, timestamp, tumbling } from 'millrace'

const schema = defineSchema({ event_time: timestamp({ required: true }), page_url: text() })
const views = stream(logSource('events'), schema).withWatermark('event_time', '1s').groupBy('page_url').window(tumbling('1s')).aggregate({ views: count() })

export default pipeline('views').query('views', views, [jsonLines('out/views'), duckdb('views')])
`

// What a full disk gives is `unavailable`, and so does this: once, at a step of a run of several epochs.
const STEPS = [
  'append:before-write:6',
  'outbox:after-write:1',
  'sink:after-stage:1',
  'sink:after-link:1',
  'sink:before-log:1',
  'duckdb:after-mark:2',
  'duckdb:before-commit:1',
  'duckdb:after-commit:1',
]

test('what fails for want of space or a server is tried again: the results are those of a run without trouble', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'pipeline.ts'), PIPELINE)
  const events = Array.from(
    { length: 100 },
    (_, second) =>
      `${JSON.stringify({ event_time: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(), page_url: `/${second % 3}` })}\n`,
  )
  const input = `${events.join('')}not json\n`
  const sent = await runMillrace(['produce', '-', '--topic', 'events'], { cwd: folder, input })
  assert.equal(sent.code, 0, sent.stderr)
  let expected: string | undefined
  for (const step of ['', ...STEPS]) {
    const name = `run-${step.replaceAll(/\W/g, '-')}`
    const store = join(folder, `${name}.duckdb`)
    await writeFile(
      join(folder, 'pipeline.ts'),
      PIPELINE.replace("duckdb('views')", `duckdb('views', { file: '${store}' })`),
    )
    const trace = join(folder, `${name}.trace`)
    const env = step === '' ? {} : { MILLRACE_FAILPOINT: `${step}:throw`, MILLRACE_FAILPOINT_TRACE: trace }
    const run = await runMillrace(
      ['run', 'pipeline.ts', '--once', '--checkpoint', name, '--output', join(folder, name), '--json'],
      { cwd: folder, env },
    )
    assert.equal(run.code, 0, `${step}: ${run.stderr}`)
    assert.equal((JSON.parse(run.stdout) as { rowsRead: number }).rowsRead, 101, step)
    if (step !== '') assert.match(await readFile(trace, 'utf8'), new RegExp(step.replace(/:\d+$/, '')))
    const asked = await runMillrace(
      ['query', 'select * from views order by all', '--file', store, '--format', 'ndjson'],
      { cwd: folder },
    )
    const found = `${await fileRows(join(folder, name, 'views'))}\n${asked.stdout}`
    expected ??= found
    assert.equal(found, expected, step)
  }
  assert.ok((expected ?? '').split('\n').length > 190)
})

async function fileRows(folder: string): Promise<string> {
  const texts: string[] = []
  for (const { files } of await readOutputLog(folder)) {
    for (const { path } of files) texts.push(await readFile(join(folder, path), 'utf8'))
  }
  return texts.join('')
}
