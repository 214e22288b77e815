// What is wrong with the command, one by one through the real one: each mistake is an error that says what, why and what to do, with
// the exit code that scripts rely on.

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

const CLICK = '{"event_time":"2026-01-01T00:00:10Z","user_id":"u","page_url":"/home","event_type":"click"}\n'

interface Mistake {
  readonly what: string
  readonly args: readonly string[]
  readonly code: number
  readonly says: RegExp
  readonly hint: RegExp
  /** Made beforehand, besides a good pipeline in pages.ts, two events in in.ndjson, and a file called "file". */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  /** Commands that went well before. */
  readonly before?: readonly (readonly string[])[]
  readonly env?: Readonly<Record<string, string>>
}

const RUN = ['run', 'pages.ts', '--once']
const CHECKPOINTED = [...RUN, '--checkpoint', 'state']

const MISTAKES: readonly Mistake[] = [
  {
    what: 'events where the pipeline belongs',
    args: ['run', 'in.ndjson'],
    code: 2,
    says: /"in.ndjson" is no pipeline file/,
    hint: /--input/,
  },
  {
    what: 'no such preset, and none with almost its name',
    args: ['generate', '--preset', 'shop'],
    code: 2,
    says: /"shop" is not one of the presets .*ecommerce, user-activity/,
    hint: /--help/,
  },
  {
    what: 'an event of a topic that is not there',
    args: ['explain-event', 'e1', '--checkpoint', 'state'],
    before: [CHECKPOINTED, ['topics', 'create', 'clicks']],
    code: 2,
    says: /there is no topic "events"/,
    hint: /name it with --topic: choose one of clicks/,
  },
  { what: 'no such command', args: ['rnu'], code: 2, says: /unknown command 'rnu'/, hint: /did you mean run\?/ },
  {
    what: 'help of no command',
    args: ['help', 'topics', 'lst'],
    code: 2,
    says: /topics has no command 'lst'/,
    hint: /did you mean list\?/,
  },
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
    says: /there is nothing to run: no pipeline and no preset/,
    hint: /--preset: .*user-activity/,
  },
  {
    what: 'a word too many',
    args: ['plan', 'pages.ts', 'x'],
    code: 2,
    says: /too many arguments/,
    hint: /^a text with spaces goes into quotes; `millrace plan --help` shows/,
  },
  {
    what: 'no such format',
    args: [...RUN, '--format', 'xml'],
    code: 2,
    says: /'xml' is invalid.*ndjson/,
    hint: /millrace run --help/,
  },
  {
    what: 'none of a few words',
    args: ['inspect', 'stat'],
    code: 2,
    says: /'stat' is invalid.*state/,
    hint: /did you mean state\?/,
  },
  {
    what: 'no duration',
    args: [...RUN, '--trigger', '5 parsecs'],
    code: 2,
    says: /--trigger: "5 parsecs" is not a duration/,
    hint: /^correct it and start again; `millrace run --help` shows every flag$/,
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
    hint: /^correct them .*`millrace run --help` shows every flag$/,
  },
  {
    what: 'a wrong variable',
    args: RUN,
    env: { TRIGGER_INTERVAL: 'soon' },
    code: 2,
    says: /TRIGGER_INTERVAL: "soon" is not a duration/,
    hint: /^correct it and start again; `millrace config env` shows every setting$/,
  },
  {
    what: 'a wrong option and a wrong variable',
    args: [...RUN, '--port', 'x'],
    env: { TRIGGER_INTERVAL: 'soon' },
    code: 2,
    says: /2 settings are wrong/,
    hint: /`millrace run --help` shows every flag, `millrace config env` shows every setting$/,
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
    args: [...RUN, '--print', 'pges'],
    code: 2,
    says: /"pages" has no query "pges"/,
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
    what: 'a module that a package calls CommonJS',
    args: ['run', 'bad.js'],
    files: { 'bad.js': PIPELINE, 'package.json': '{ "type": "commonjs" }' },
    code: 2,
    says: /bad.js:\d+ cannot be loaded: SyntaxError: Cannot use import statement outside a module/,
    hint: /\.ts or \.mjs, or say "type": "module"/,
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
    says: /cannot create the folder .*file.*not a directory/,
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
    what: 'output of a run that has a checkpoint',
    args: RUN,
    before: [[...CHECKPOINTED, '--input', 'closed.ndjson']],
    files: { 'closed.ndjson': CLICK + CLICK.replace('00:00:10', '00:05:00') },
    code: 4,
    says: /out\/pages holds the output of another run \(.*state\)/,
    hint: /add --checkpoint \/.*state to go on with that run/,
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
    says: /the query "pages" has changed since the checkpoint .*\n {2}now {3}window tumbling, 5m\n {2}then {2}window tumbling, 1m$/,
    hint: /another --checkpoint folder and another --output$/,
  },
  {
    what: 'a checkpoint of other input',
    args: [...CHECKPOINTED, '--input', 'other.ndjson'],
    before: [CHECKPOINTED],
    files: { 'other.ndjson': CLICK },
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
    what: 'results that are somewhere else',
    args: ['query', '--folder', 'nope', 'select 1'],
    code: 2,
    says: /there is no folder "nope"/,
    hint: /--output of a run/,
  },
  {
    what: 'input in UTF-16',
    args: [...RUN, '--input', 'wide.ndjson'],
    files: { 'wide.ndjson': Buffer.from(`\ufeff${CLICK}`, 'utf16le') },
    code: 2,
    says: /wide.ndjson is UTF-16/,
    hint: /iconv/,
  },
  {
    what: 'nobody to ask',
    args: ['status', '--port', '1'],
    code: 3,
    says: /no job answers at http:\/\/127.0.0.1:1/,
    hint: /millrace demo/,
  },
]

describe('a mistake is an error that says what, why and what to do', { concurrency: 2 }, () => {
  for (const mistake of MISTAKES) {
    test(mistake.what, async (t) => {
      const cwd = await temporaryFolder(t)
      const files = { 'pages.ts': PIPELINE, 'in.ndjson': CLICK + CLICK, file: '', ...mistake.files }
      for (const [name, text] of Object.entries(files)) await writeBelow(cwd, name, text)
      for (const args of mistake.before ?? []) {
        const run = await runMillrace(args, { cwd })
        assert.equal(run.code, 0, run.stderr)
      }
      assertError(await runMillrace(mistake.args, { cwd, env: mistake.env ?? {} }), mistake)
    })
  }

  test('a topic that fills the disk: how many lines are in it is told, so that nobody sends them again', async (t) => {
    const cwd = await temporaryFolder(t)
    // More than one batch of lines.
    await writeFile(join(cwd, 'many.ndjson'), CLICK.repeat(60_000))
    const env = { MILLRACE_FAILPOINT: 'append:before-write:3:throw' }
    const run = await runMillrace(['produce', 'many.ndjson', '--topic', 'clicks'], { cwd, env })
    assert.equal(run.code, 3, run.stderr)
    const [, sent = ''] =
      /^the first ([\d,]+) records had been sent to clicks when it failed\nerror: /.exec(run.stderr) ?? []
    const rest = CLICK.repeat(60_000 - Number(sent.replaceAll(',', '')))
    const again = await runMillrace(['produce', '-', '--topic', 'clicks', '--json'], { cwd, input: rest })
    assert.equal(again.code, 0, again.stderr)
    const topic = await runMillrace(['topics', 'describe', 'clicks'], { cwd })
    assert.match(topic.stdout, /60,000 records/)
  })

  test('a pipeline in TypeScript is a module, also in a package that `npm init` has made', async (t) => {
    const cwd = await temporaryFolder(t)
    await writeFile(join(cwd, 'package.json'), '{ "type": "commonjs" }')
    await writeFile(join(cwd, 'size.ts'), "export const SIZE: string = '1 minute'\n")
    await writeFile(
      join(cwd, 'pages.ts'),
      `import { SIZE } from './size.ts'\n${PIPELINE.replace("'1 minute'", 'SIZE')}`,
    )
    const run = await runMillrace(['validate', 'pages.ts'], { cwd })
    assert.equal(run.code, 0, run.stderr)
    assert.equal(run.stderr, '')
  })

  test('a snapshot that is damaged: the run goes on from the one before, and says so', async (t) => {
    const cwd = await temporaryFolder(t)
    await writeFile(join(cwd, 'pages.ts'), PIPELINE)
    await writeFile(join(cwd, 'in.ndjson'), CLICK + CLICK)
    const first = await runMillrace(CHECKPOINTED, { cwd })
    assert.equal(first.code, 0, first.stderr)
    const newest = (await readdir(join(cwd, 'state')))
      .filter((name) => name.startsWith('snapshot'))
      .toSorted()
      .at(-1)
    const path = join(cwd, 'state', newest as string)
    const bytes = await readFile(path)
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1
    await writeFile(path, bytes)
    const second = await runMillrace(CHECKPOINTED, { cwd })
    assert.equal(second.code, 0, second.stderr)
    assert.match(second.stderr, /the snapshot .* is damaged: .*; it is now in .*quarantine; went on after epoch 1/)
  })

  for (const args of [
    ['demo', '--no-open', '--duration', '2s'],
    ['run', 'pages.ts', '--once', '--serve'],
  ]) {
    test(`a port that is taken, ${args[0]}`, async (t) => {
      const cwd = await temporaryFolder(t)
      await writeFile(join(cwd, 'pages.ts'), PIPELINE)
      await writeFile(join(cwd, 'in.ndjson'), CLICK)
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
  const error = /^error: (.*?)\n {2}hint: ([^\n]+)\n?$/ms.exec(run.stderr)
  assert.ok(error, `has an error and a hint: ${run.stderr}`)
  assert.match(error[1] as string, expected.says)
  assert.match(error[2] as string, expected.hint)
  assert.doesNotMatch(run.stderr, /^\s+at .*(:\d+|<anonymous>)\)?$/m, 'no stack trace')
  assert.equal(run.stdout, '')
}

async function writeBelow(folder: string, name: string, text: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true })
  await writeFile(join(folder, name), text)
}
