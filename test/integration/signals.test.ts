// Ctrl-C through the real command: once for a clean end, twice for a quick one. Either way the next start goes on, and in the end
// every row has been counted once.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runMillrace, startMillrace, temporaryFolder } from '../support/run-millrace.ts'

const PIPELINE = `
import { clickEvent, count, jsonLines, logSource, pipeline, stream, tumbling } from 'millrace'
const events = stream(logSource('events'), clickEvent).withWatermark('event_time', '1 second')
const pages = events.groupBy('page_url').window(tumbling('1 minute')).aggregate({ events: count() })
export default pipeline('pages').query('pages', pages, [jsonLines('out/pages')])
`
const ROWS = 20_000
const ROWS_PER_EPOCH = 250
const LIVE = ['run', 'pages.ts', '--print', 'pages', '--rows-per-epoch', String(ROWS_PER_EPOCH), '--trigger', '1ms']
const TO_THE_END = ['run', 'pages.ts', '--once', '--json', '--checkpoint', 'home/checkpoints/pages']
const FIRST_ROW = /"page_url"/

test('the first Ctrl-C keeps a snapshot and exits with 0', async (t) => {
  const cwd = await folderWithEvents(t)
  const run = await runMillrace(LIVE, { cwd, killWhen: { text: FIRST_ROW, signal: 'SIGINT' } })
  assert.equal(run.code, 0, run.stderr)
  assert.match(run.stderr, /^epoch \d+ {2}[\d,]+ events {2}/m)
  assert.match(run.stderr, /stopping: .*again to quit at once/)
  const epochs = (await snapshotEpochs(cwd)).toSorted((left, right) => left - right)
  assert.ok((epochs.at(-1) ?? 0) > 0, `has a snapshot besides the first: ${epochs}`)
  await assertGoesOn(cwd)
})

test('a second one exits with 130 at once, without a snapshot, and the next start recovers', async (t) => {
  const cwd = await folderWithEvents(t)
  const running = startMillrace(t, LIVE, { cwd })
  await running.says(FIRST_ROW)
  // Both are there before the process looks: it has no time to end cleanly in between.
  running.child.kill('SIGINT')
  running.child.kill('SIGTERM')
  const run = await running.ended
  assert.equal(run.code, 130, run.stderr)
  assert.deepEqual(await snapshotEpochs(cwd), [0])
  await assertGoesOn(cwd)
})

test('a launcher on a Node without TypeScript passes signals and exit codes on', async (t) => {
  const version = spawnSync('node', ['--version'], { encoding: 'utf8' }).stdout ?? ''
  if (!/^v2[01]\./.test(version)) return t.skip('the node in PATH is not an old one')
  const cwd = await folderWithEvents(t)
  const clean = await runMillrace(LIVE, { cwd, node: 'node', killWhen: { text: FIRST_ROW, signal: 'SIGINT' } })
  assert.equal(clean.code, 0, clean.stderr)
  const wrong = await runMillrace(['rnu'], { cwd, node: 'node' })
  assert.equal(wrong.code, 2)
  await assertGoesOn(cwd)
})

test('a live run whose reader goes away ends cleanly; one with an end goes on to it', async (t) => {
  const cwd = await folderWithEvents(t)
  const live = startMillrace(t, LIVE, { cwd })
  await live.says(FIRST_ROW)
  live.child.stdout?.destroy()
  await produceEvents(cwd, ROWS) // It has something to say, whatever it had said before.
  const stopped = await live.ended
  assert.equal(stopped.code, 0, stopped.stderr)
  assert.doesNotMatch(stopped.stderr, /EPIPE|hint/)
  const ended = startMillrace(t, [...TO_THE_END, '--print', 'pages', '--rows-per-epoch', String(ROWS_PER_EPOCH)], {
    cwd,
  })
  await ended.says(FIRST_ROW)
  ended.child.stdout?.destroy()
  const finished = await ended.ended
  assert.equal(finished.code, 0, finished.stderr)
  await assertGoesOn(cwd, 2 * ROWS)
})

/** The counts, and what is in the files, are in the end those of a run that nobody interrupted. */
async function assertGoesOn(cwd: string, rows: number = ROWS): Promise<void> {
  const last = await runMillrace(TO_THE_END, { cwd })
  assert.equal(last.code, 0, last.stderr)
  const summary = JSON.parse(last.stdout) as { rowsRead: number; fates: Record<string, number>; watermark: string }
  assert.equal(summary.rowsRead, rows)
  assert.equal(summary.fates['accepted'], rows)
  const straight = await runMillrace(['run', 'pages.ts', '--once', '--output', 'straight', '--print', 'pages'], { cwd })
  assert.equal(straight.code, 0, straight.stderr)
  const closed = straight.stdout
    .trimEnd()
    .split('\n')
    .filter((line) => (JSON.parse(line) as { window_end: string }).window_end <= summary.watermark)
  assert.ok(closed.length > 100)
  assert.deepEqual((await rowsIn(join(cwd, 'out/pages'))).toSorted(), closed.toSorted())
}

async function folderWithEvents(t: TestContext): Promise<string> {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 'pages.ts'), PIPELINE)
  await produceEvents(cwd, 0)
  return cwd
}

/** Ten events a second over half an hour, from the `first` on. */
async function produceEvents(cwd: string, first: number): Promise<void> {
  const startMs = Date.UTC(2026, 0, 1)
  const lines = Array.from({ length: ROWS }, (_, index) => {
    const event_time = new Date(startMs + (first + index) * 100).toISOString()
    return JSON.stringify({ event_time, user_id: 'u', event_type: 'click', page_url: `/${index % 7}` })
  })
  const input = `${lines.join('\n')}\n`
  const run = await runMillrace(['produce', '-', '--topic', 'events'], { cwd, input })
  assert.equal(run.code, 0, run.stderr)
}

async function snapshotEpochs(cwd: string): Promise<number[]> {
  const names = await readdir(join(cwd, 'home/checkpoints/pages'))
  return names.flatMap((name) => (/snapshot/.test(name) ? [Number.parseInt(name.replace(/\D/g, ''), 10)] : []))
}

async function rowsIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ndjson'))
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  return texts.flatMap((text) => text.trimEnd().split('\n'))
}
