// What is wrong with the input, one by one through the real command: each bad row gets its fate with a reason and is kept.
// What is wrong with the command itself is in mistakes.test.ts.

import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'

const PIPELINE = `
import { clickEvent, clickEventRules, count, csv, fileSource, pipeline, stream, sum, tumbling } from 'millrace'
const events = stream(fileSource('in.ndjson'), clickEvent, { rules: clickEventRules }).withWatermark('event_time', '2 minutes')
const pages = events.groupBy('page_url').window(tumbling('1 minute')).aggregate({ events: count(), revenue: sum('amount') })
export default pipeline('pages').query('pages', pages, [csv('out/pages')])
`

interface BadRow {
  readonly what: string
  readonly line: string | Uint8Array
  readonly fate: string
  readonly reason: RegExp
}

const BAD_ROWS: readonly BadRow[] = [
  { what: 'no JSON', line: 'hello', fate: 'malformed', reason: /^not JSON$/ },
  { what: 'half a row', line: '{"event_id":"e', fate: 'malformed', reason: /^not JSON$/ },
  { what: 'a row and more', line: `${click()} x`, fate: 'malformed', reason: /something after the object/ },
  { what: 'an array', line: '[1,2]', fate: 'malformed', reason: /not a JSON object/ },
  { what: 'null', line: 'null', fate: 'malformed', reason: /not a JSON object/ },
  { what: 'no UTF-8', line: notUtf8(), fate: 'malformed', reason: /not UTF-8/ },
  { what: 'an empty line', line: '', fate: 'malformed', reason: /empty line/ },
  { what: 'a blank line', line: '   ', fate: 'malformed', reason: /empty line/ },
  { what: '2 MB', line: click({ page_url: 'x'.repeat(2e6) }), fate: 'malformed', reason: /larger than 1 MB/ },
  {
    what: 'an object for a text',
    line: click({ user_id: { id: 1 } }),
    fate: 'invalid',
    reason: /"user_id": wrong type/,
  },
  { what: 'a text for a number', line: click({ amount: 'lots' }), fate: 'invalid', reason: /"amount": wrong type/ },
  { what: 'a negative amount', line: click({ amount: -1 }), fate: 'invalid', reason: /"amount"/ },
  {
    what: 'the year 1900',
    line: at('1900-01-01T00:00:00Z'),
    fate: 'invalid',
    reason: /"event_time": timestamp outside/,
  },
  {
    what: 'the year 2300',
    line: at('2300-01-01T00:00:00Z'),
    fate: 'invalid',
    reason: /"event_time": timestamp outside/,
  },
  { what: 'no time', line: at('yesterday'), fate: 'invalid', reason: /"event_time": not a valid timestamp/ },
  { what: 'nobody', line: click({ user_id: null }), fate: 'invalid', reason: /"user_id" is null or missing/ },
  {
    what: 'an unknown event',
    line: click({ event_type: 'jump' }),
    fate: 'invalid',
    reason: /"event_type" is none of page_view/,
  },
  {
    what: 'only a prototype',
    line: '{"__proto__":{"user_id":"u","event_type":"click","event_time":"2026-01-01T00:00:10Z"}}',
    fate: 'invalid',
    reason: /"event_time" is null or missing/,
  },
]

/** Strange, and yet events like others. */
const GOOD_ROWS = [
  click({ user_id: '__proto__', page_url: 'constructor' }),
  click({ page_url: '__proto__' }),
  `{"__proto__":{"user_id":"evil"},"constructor":{"prototype":1},"toString":2,${click().slice(1)}`,
]

test('each bad row has its fate and is kept with the reason; the others are counted', async (t) => {
  const cwd = await temporaryFolder(t)
  const lines = [...GOOD_ROWS, ...BAD_ROWS.map(({ line }) => line)].map((line) =>
    Buffer.concat([Buffer.from(line), Buffer.from('\n')]),
  )
  await writeFile(join(cwd, 'in.ndjson'), Buffer.concat(lines))
  await writeFile(join(cwd, 'pages.ts'), PIPELINE)
  const run = await runMillrace(['run', 'pages.ts', '--once', '--json'], { cwd })
  assert.equal(run.code, 0, run.stderr)
  const { rowsRead, fates } = JSON.parse(run.stdout) as { rowsRead: number; fates: Record<string, number> }
  assert.equal(rowsRead, lines.length)
  const count = (fate: string): number => BAD_ROWS.filter((row) => row.fate === fate).length
  const used = Object.fromEntries(Object.entries(fates).filter(([, rows]) => rows > 0))
  assert.deepEqual(used, { accepted: GOOD_ROWS.length, malformed: count('malformed'), invalid: count('invalid') })
  const letters = await deadLetters(cwd)
  for (const [index, { what, line, fate, reason }] of BAD_ROWS.entries()) {
    const letter = letters.get(GOOD_ROWS.length + index)
    assert.equal(letter?.fate, fate, what)
    assert.match(letter?.reason ?? '', reason, what)
    const raw =
      letter?.raw_base64 === undefined ? Buffer.from(letter?.raw ?? '') : Buffer.from(letter.raw_base64, 'base64')
    assert.ok(raw.equals(Buffer.from(line).subarray(0, letter?.raw_cut_at)), `${what} is kept as it came`)
  }
  assert.equal(letters.size, BAD_ROWS.length)
  const cut = [...letters.values()].filter((letter) => letter.raw_cut_at !== undefined)
  assert.deepEqual(
    cut.map(({ reason }) => reason),
    ['larger than 1 MB'],
  )
  assert.deepEqual(await pagesIn(join(cwd, 'out/pages')), ['/home,1', '__proto__,1', 'constructor,1'])
})

test('a run without a checkpoint leaves the dead letters of one with a checkpoint alone', async (t) => {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 'in.ndjson'), 'hello\n')
  await writeFile(join(cwd, 'pages.ts'), PIPELINE)
  const kept = ['run', 'pages.ts', '--once', '--checkpoint', 'home/checkpoints/pages']
  for (const args of [kept, ['run', 'pages.ts', '--once', '--output', 'elsewhere'], kept]) {
    const run = await runMillrace(args, { cwd })
    assert.equal(run.code, 0, run.stderr)
  }
  const folder = join(cwd, 'home/dead-letters/pages')
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ndjson'))
  const lines = await Promise.all(
    names.map(async (name) => (await readFile(join(folder, name), 'utf8')).split('\n').length - 1),
  )
  assert.deepEqual(lines, [1, 1])
})

test('when no event could be used, the summary says what it most often is', async (t) => {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 'pages.ts'), PIPELINE)
  for (const [content, note] of [
    [JSON.stringify([JSON.parse(click())], null, 1), /no event could be read: each line has to be one JSON object; jq/],
    [click().replace('"user_id"', '"userId"'), /no event has the columns that are wanted/],
    ['', /there was nothing to read/],
    [`hello\n${click()}\n`, /1 malformed, 1 accepted(?!.*note)/s],
    [`\ufeff${click()}\r\n`, /1 accepted(?!.*note)/s],
  ] as const) {
    await writeFile(join(cwd, 'in.ndjson'), content)
    const run = await runMillrace(['run', 'pages.ts', '--once', '--replace'], { cwd })
    assert.equal(run.code, 0, run.stderr)
    assert.match(run.stderr, note)
  }
})

test('bad rows make the exit code 1 where that is asked for', async (t) => {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 'in.ndjson'), 'hello\n')
  await writeFile(join(cwd, 'pages.ts'), PIPELINE)
  const run = await runMillrace(['run', 'pages.ts', '--once', '--fail-on-bad'], { cwd })
  assert.equal(run.code, 1)
  assert.match(run.stderr, /1 malformed: not JSON\n.*dead letters in \S+/s)
})

function click(fields: Readonly<Record<string, unknown>> = {}): string {
  const event = {
    event_id: 'e',
    event_time: '2026-01-01T00:00:10Z',
    user_id: 'u',
    page_url: '/home',
    event_type: 'click',
  }
  return JSON.stringify({ ...event, ...fields })
}

function at(time: string): string {
  return click({ event_time: time })
}

function notUtf8(): Uint8Array {
  const [before, after] = click({ page_url: '|' }).split('|') as [string, string]
  return Buffer.concat([Buffer.from(before), Buffer.from([0xff, 0xfe]), Buffer.from(after)])
}

interface Letter {
  readonly offset: number
  readonly fate: string
  readonly reason: string
  readonly raw: string
  readonly raw_base64?: string
  readonly raw_cut_at?: number
}

async function deadLetters(cwd: string): Promise<Map<number, Letter>> {
  const folder = join(cwd, 'home/dead-letters/pages')
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ndjson'))
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  const letters = texts.flatMap((text) => text.trimEnd().split('\n')).map((line) => JSON.parse(line) as Letter)
  return new Map(letters.map((letter) => [letter.offset, letter]))
}

async function pagesIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.csv'))
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  const rows = texts.flatMap((text) => text.trimEnd().split('\n').slice(1))
  return rows.map((row) => row.split(',').slice(2, 4).join(',')).toSorted()
}
