// What is wrong with the input or with the command, one by one through the real command: each bad row gets its fate with a reason
// and is kept, each mistake an error that says what, why and what to do.

import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { type Run, runMillrace, temporaryFolder } from '../support/run-millrace.ts'

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
    assert.ok(raw.equals(Buffer.from(line)), `${what} is kept as it came`)
  }
  assert.equal(letters.size, BAD_ROWS.length)
  assert.deepEqual(await pagesIn(join(cwd, 'out/pages')), ['/home,1', '__proto__,1', 'constructor,1'])
})

test('bad rows make the exit code 1 where that is asked for', async (t) => {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 'in.ndjson'), 'hello\n')
  await writeFile(join(cwd, 'pages.ts'), PIPELINE)
  const run = await runMillrace(['run', 'pages.ts', '--once', '--fail-on-bad'], { cwd })
  assert.equal(run.code, 1)
  assert.match(run.stderr, /1 malformed: not JSON\n[^]*dead letters in \S+/)
})

interface Mistake {
  readonly what: string
  readonly args: readonly string[]
  readonly code: number
  readonly says: RegExp
  readonly hint: RegExp
  /** Made beforehand, besides a good pipeline in pages.ts, two events in in.ndjson, and a file called "file". */
  readonly files?: Readonly<Record<string, string>>
  /** Commands that went well before. */
  readonly before?: readonly (readonly string[])[]
  readonly env?: Readonly<Record<string, string>>
}

const RUN = ['run', 'pages.ts', '--once']
const CHECKPOINTED = [...RUN, '--checkpoint', 'state']

const MISTAKES: readonly Mistake[] = [
  { what: 'no such command', args: ['rnu'], code: 2, says: /unknown command 'rnu'/, hint: /did you mean run\?/ },
  {
    what: 'no such option',
    args: [...RUN, '--ouput', 'x'],
    code: 2,
    says: /unknown option '--ouput'/,
    hint: /did you mean --output\?/,
  },
  {
    what: 'a word missing',
    args: ['run'],
    code: 2,
    says: /missing required argument 'pipeline'/,
    hint: /millrace run --help/,
  },
  {
    what: 'a word too many',
    args: ['plan', 'pages.ts', 'x'],
    code: 2,
    says: /too many arguments/,
    hint: /millrace plan --help/,
  },
  {
    what: 'no such format',
    args: [...RUN, '--format', 'xml'],
    code: 2,
    says: /'xml' is invalid.*ndjson/,
    hint: /millrace run --help/,
  },
  {
    what: 'no duration',
    args: [...RUN, '--trigger', '5 parsecs'],
    code: 2,
    says: /--trigger: "5 parsecs" is not a duration/,
    hint: /config env/,
  },
  {
    what: 'no share',
    args: ['generate', '--late', 'often'],
    code: 2,
    says: /'often' is invalid/,
    hint: /millrace generate --help/,
  },
  {
    what: 'two wrong options at once',
    args: [...RUN, '--port', '99999', '--from', 'lates'],
    code: 2,
    says: /2 settings are wrong:\n.*--from: "lates" is not earliest or latest \(did you mean "latest"\?\)\n.*--port: "99999" is not a port/,
    hint: /correct it/,
  },
  {
    what: 'a wrong variable',
    args: RUN,
    env: { TRIGGER_INTERVAL: 'soon' },
    code: 2,
    says: /TRIGGER_INTERVAL: "soon" is not a duration/,
    hint: /correct it/,
  },
  {
    what: 'a wrong configuration file',
    args: RUN,
    files: { 'millrace.yaml': 'triger: 1s\n' },
    code: 2,
    says: /millrace.yaml: there is no setting "triger" \(did you mean "trigger"\?\)/,
    hint: /correct it/,
  },
  {
    what: 'no pipeline there',
    args: ['run', 'nope.ts'],
    code: 2,
    says: /there is no file "nope.ts"/,
    hint: /name a pipeline file/,
  },
  {
    what: 'a folder for a pipeline',
    args: ['run', '.'],
    code: 2,
    says: /"\." cannot be read \(EISDIR\)/,
    hint: /name a pipeline file/,
  },
  {
    what: 'no input there',
    args: [...RUN, '--input', 'nope.ndjson'],
    code: 2,
    says: /there is no file ".*nope.ndjson"/,
    hint: /check the paths/,
  },
  {
    what: 'a pattern of nothing',
    args: [...RUN, '--input', '*.gz'],
    code: 2,
    says: /no file matches "\*.gz"/,
    hint: /check the paths/,
  },
  {
    what: 'no such query',
    args: [...RUN, '--print', 'pagse'],
    code: 2,
    says: /"pages" has no query "pagse"/,
    hint: /did you mean "pages"\?/,
  },
  {
    what: 'a topic for files',
    args: ['run', 'pages.ts', 'clicks'],
    code: 2,
    says: /reads files, not the topic "clicks"/,
    hint: /leave the topic out/,
  },
  {
    what: 'a wrong column name',
    args: ['run', 'bad.ts'],
    files: { 'bad.ts': PIPELINE.replace("'page_url'", "'page_ulr'").replace("'amount'", "'amuont'") },
    code: 2,
    says: /no column "page_ulr" \(did you mean "page_url"\?\)\n.*no column "amuont" \(did you mean "amount"\?\)/,
    hint: /correct all 2/,
  },
  {
    what: 'a syntax error',
    args: ['run', 'bad.ts'],
    files: { 'bad.ts': 'const a = 1\nimport { pipeline from "millrace"\n' },
    code: 2,
    says: /bad.ts:2 cannot be loaded: SyntaxError/,
    hint: /correct it there/,
  },
  {
    what: 'a pipeline that throws',
    args: ['run', 'bad.ts'],
    files: { 'bad.ts': 'export const a = 1\nthrow new TypeError("no luck")\n' },
    code: 2,
    says: /bad.ts:2 cannot be loaded: TypeError: no luck/,
    hint: /the file itself failed/,
  },
  {
    what: 'a pipeline that rejects later',
    args: ['run', 'bad.ts', '--once'],
    files: { 'bad.ts': `${PIPELINE}\nPromise.reject(new Error('too late'))\n` },
    code: 1,
    says: /too late/,
    hint: /MILLRACE_DEBUG=1/,
  },
  {
    what: 'a wrong import',
    args: ['run', 'bad.ts'],
    files: { 'bad.ts': 'import { pipelin } from "millrace"\n' },
    code: 2,
    says: /bad.ts:1 cannot be loaded: SyntaxError: .*'pipelin'/,
    hint: /did you mean "pipeline"\?/,
  },
  {
    what: 'a missing package',
    args: ['run', 'bad.ts'],
    files: { 'bad.ts': 'import "no-such-package"\n' },
    code: 2,
    says: /bad.ts cannot be loaded: Error: Cannot find package 'no-such-package'/,
    hint: /install the package/,
  },
  {
    what: 'no pipeline in it',
    args: ['run', 'bad.ts'],
    files: { 'bad.ts': 'export default 5\n' },
    code: 2,
    says: /does not export a pipeline/,
    hint: /export default pipeline/,
  },
  {
    what: 'no plan',
    args: ['run', 'plan.json'],
    files: { 'plan.json': '{' },
    code: 2,
    says: /the plan is not JSON/,
    hint: /plan PIPELINE --json/,
  },
  {
    what: 'a file for the output',
    args: [...RUN, '--output', 'file'],
    code: 2,
    says: /cannot create the folder .*file/,
    hint: /part of this path is a file/,
  },
  {
    what: 'a file for the home',
    args: [...RUN, '--input', 'bad.ndjson', '--home', 'file'],
    files: { 'bad.ndjson': 'x\n' },
    code: 2,
    says: /cannot create the folder .*file/,
    hint: /part of this path is a file/,
  },
  {
    what: 'a file for the checkpoint',
    args: [...RUN, '--checkpoint', 'file'],
    code: 2,
    says: /cannot .*file/,
    hint: /part of this path is a file/,
  },
  {
    what: 'output of another pipeline',
    args: RUN,
    before: [[...RUN]],
    code: 4,
    says: /out\/pages holds the output of another run/,
    hint: /--replace/,
  },
  {
    what: 'output that nobody listed',
    args: [...RUN, '--output', '.'],
    files: { 'pages/other.csv': 'a,b\n' },
    code: 4,
    says: /holds "other.csv", which no run of millrace has listed/,
    hint: /choose another --output/,
  },
  {
    what: 'a checkpoint of another definition',
    args: ['run', 'changed.ts', '--once', '--checkpoint', 'state'],
    before: [CHECKPOINTED],
    files: { 'changed.ts': PIPELINE.replace("'1 minute'", "'5 minutes'") },
    code: 4,
    says: /the query "pages" has changed since the checkpoint/,
    hint: /another --checkpoint/,
  },
  {
    what: 'a checkpoint of other input',
    args: [...CHECKPOINTED, '--input', 'other.ndjson'],
    before: [CHECKPOINTED],
    files: { 'other.ndjson': `${click()}\n` },
    code: 4,
    says: /checkpoint/,
    hint: /--checkpoint/,
  },
  {
    what: 'output replaced under a checkpoint',
    args: [...CHECKPOINTED, '--replace'],
    before: [CHECKPOINTED],
    code: 2,
    says: /--replace would remove output that the checkpoint .*state counts as written/,
    hint: /remove the checkpoint as well/,
  },
  {
    what: 'a checkpoint of standard input',
    args: ['run', 'pages.ts', '--input', '-', '--checkpoint', 'state'],
    code: 2,
    says: /standard input cannot be read again/,
    hint: /millrace produce/,
  },
  { what: 'lines for no topic', args: ['produce', 'in.ndjson'], code: 2, says: /which topic/, hint: /--topic/ },
  { what: 'no log yet', args: ['topics', 'list'], code: 2, says: /there is no log in/, hint: /producer/ },
  {
    what: 'no such topic',
    args: ['topics', 'peek', 'click'],
    before: [['topics', 'create', 'clicks']],
    code: 2,
    says: /no topic "click"/,
    hint: /did you mean "clicks"\?/,
  },
  {
    what: 'the page open to everybody',
    args: [...RUN, '--serve', '--host', '0.0.0.0', '--port', '0'],
    code: 2,
    says: /open to the network at "0.0.0.0" without a token/,
    hint: /MILLRACE_TOKEN/,
  },
  {
    what: 'no file with the token',
    args: [...RUN, '--serve', '--token-file', 'nope'],
    code: 2,
    says: /there is no file "nope"/,
    hint: /MILLRACE_TOKEN/,
  },
  {
    what: 'nobody to ask',
    args: ['status', '--port', '1'],
    code: 3,
    says: /no job answers at http:\/\/127.0.0.1:1/,
    hint: /millrace demo/,
  },
]

describe('a mistake is an error that says what, why and what to do', () => {
  for (const mistake of MISTAKES) {
    test(mistake.what, async (t) => {
      const cwd = await temporaryFolder(t)
      const files = { 'pages.ts': PIPELINE, 'in.ndjson': `${click()}\n${click()}\n`, file: '', ...mistake.files }
      for (const [name, text] of Object.entries(files)) await writeBelow(cwd, name, text)
      for (const args of mistake.before ?? []) {
        const run = await runMillrace(args, { cwd })
        assert.equal(run.code, 0, run.stderr)
      }
      assertError(await runMillrace(mistake.args, { cwd, env: mistake.env ?? {} }), mistake)
    })
  }

  for (const args of [
    ['demo', '--no-open', '--duration', '2s'],
    ['run', 'pages.ts', '--once', '--serve'],
  ]) {
    test(`a port that is taken, ${args[0]}`, async (t) => {
      const cwd = await temporaryFolder(t)
      await writeFile(join(cwd, 'pages.ts'), PIPELINE)
      await writeFile(join(cwd, 'in.ndjson'), `${click()}\n`)
      const other = createServer()
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
      t.after(() => other.close())
      const { port } = other.address() as { port: number }
      const run = await runMillrace([...args, '--port', String(port)], { cwd, env: { TMPDIR: cwd } })
      assertError(run, { code: 3, says: new RegExp(`port ${port} on 127.0.0.1 is taken`), hint: /--port/ })
      assert.deepEqual(
        (await readdir(cwd)).filter((name) => name.startsWith('millrace-demo')),
        [],
      )
    })
  }
})

function assertError(run: Run, expected: { code: number; says: RegExp; hint: RegExp }): void {
  assert.equal(run.code, expected.code, run.stderr)
  const error = /^error: ([^]*?)\n {2}hint: ([^\n]+)\n?$/m.exec(run.stderr)
  assert.ok(error, `has an error and a hint: ${run.stderr}`)
  assert.match(error[1] as string, expected.says)
  assert.match(error[2] as string, expected.hint)
  assert.doesNotMatch(run.stderr, /^\s+at .*(:\d+|<anonymous>)\)?$/m, 'no stack trace')
  assert.equal(run.stdout, '')
}

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

async function writeBelow(folder: string, name: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true })
  await writeFile(join(folder, name), text)
}

interface Letter {
  readonly offset: number
  readonly fate: string
  readonly reason: string
  readonly raw: string
  readonly raw_base64?: string
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
