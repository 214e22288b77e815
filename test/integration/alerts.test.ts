// C22, C23: a run that watches its results and the quality of its data.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'

const EVENTS = [
  '--num-events',
  '2000',
  '--rate',
  '2',
  '--flat-out',
  '--start',
  '2026-11-24T12:00:00Z',
  '--malformed',
  '5%',
]
const RUN = ['run', '--preset', 'user-activity', '--once', '--output', 'out', '--replace', '--alerts', 'alerts.yaml']

test('what begins is told to log, command and webhook, and kept; the next run knows it', async (t) => {
  const { folder, run, heard, url } = await home(t)
  await writeFile(
    join(folder, 'alerts.yaml'),
    `alerts:
  - { name: bad-rows, metric: millrace_events_total, labels: { fate: malformed }, above: 50, command: 'echo "$ALERT_NAME $ALERT_STATE" > told', webhook: "${url}" }
  - { name: few-users, query: active_users, column: active_user_count, below: 1000 }
  - { name: never, metric: millrace_rows_read_total, above: 1000000 }
`,
  )
  const first = await run()
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.stderr, /alert {4}bad-rows firing for fate=malformed: \d+/)
  assert.match(first.stderr, /alert {4}few-users firing: \d+/)
  assert.doesNotMatch(first.stderr, /never/)
  assert.equal(await readFile(join(folder, 'told'), 'utf8'), 'bad-rows firing\n')
  assert.deepEqual(
    heard.map(({ rule, state, pipeline }) => [rule, state, pipeline]),
    [['bad-rows', 'firing', 'user-activity']],
  )
  const history = await readFile(join(folder, 'home', 'alerts', 'user-activity.ndjson'), 'utf8')
  assert.deepEqual(
    history
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { rule: string }).rule)
      .sort(),
    ['bad-rows', 'few-users'],
  )
  const second = await run()
  assert.equal(second.code, 0, second.stderr)
  assert.match(second.stderr, /user-activity: 2,000 events/)
  assert.doesNotMatch(second.stderr, /alert {4}few-users firing/)
})

// C22
test('the quality of each field has its threshold: what docs/alerts.md shows fires for what is wrong, and for nothing else', async (t) => {
  const folder = await temporaryFolder(t)
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runMillrace(args, { cwd: folder })
    assert.equal(code, 0, stderr)
    return stdout + stderr
  }
  const [, rules = ''] =
    (await readFile('docs/alerts.md', 'utf8')).split('## Quality of data')[1]?.split('```yaml\n') ?? []
  const ofAll = (rules.split('```')[0] ?? '').replaceAll(/^ +over: .*\n/gm, '')
  await writeFile(join(folder, 'alerts.yaml'), ofAll)
  const preset = ['--preset', 'url-device-activity']
  await run('generate', ...preset, '--topic', 'clean', '--num-events', '1000', '--flat-out')
  const ask = ['run', ...preset, '--once', '--alerts', 'alerts.yaml', '--replace', '--output', 'out']
  assert.doesNotMatch(await run(...ask, 'clean'), /alert {4}/)
  const lines = (await run('topics', 'peek', 'clean', '-n', '1000', '--json'))
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => (JSON.parse(line) as { value: string }).value)
  const long = lines.map((line) => line.replace(/"timestamp":"\d{4}-\d\d-\d\d/, '"timestamp":"2025-11-24'))
  const missing = long.slice(0, 20).map((line) => line.replace('"user_id"', '"userId"'))
  const unknown = long.slice(20, 40).map((line) => line.replace(/"action":"\w+"/, '"action":"jump"'))
  await writeFile(join(folder, 'bad.ndjson'), [...long, ...missing, ...unknown, ...long.slice(0, 200)].join('\n'))
  const told = await run(...ask, '--input', 'bad.ndjson', '--checkpoint', 'state')
  const fired = [...told.matchAll(/alert {4}(\S+) firing/g)].map(([, name]) => name as string)
  assert.deepEqual([...new Set(fired)].sort(), ['action-unknown', 'sent-twice', 'stale', 'user-missing'])
  const ledger = await run('inspect', 'ledger', '--checkpoint', 'state')
  for (const rule of ['user_id-required', 'event_type-one-of', 'duplicate']) assert.match(ledger, new RegExp(rule))
})

test('who cannot be told does not stop the run', async (t) => {
  const { folder, run } = await home(t)
  const rule = 'metric: millrace_rows_read_total, above: 1'
  await writeFile(
    join(folder, 'alerts.yaml'),
    `alerts:
  - { name: a, ${rule}, command: 'exit 3' }
  - { name: b, ${rule}, webhook: "http://127.0.0.1:1/" }
`,
  )
  const { code, stderr } = await run()
  assert.equal(code, 0, stderr)
  assert.match(stderr, /a could not be told to the command: it ended with 3/)
  assert.match(stderr, /b could not be told to the webhook/)
})

test('everything that is wrong with a file is said at once, before the run', async (t) => {
  const { folder, run } = await home(t)
  const refused = async (text: string): Promise<string> => {
    await writeFile(join(folder, 'alerts.yaml'), text)
    const { code, stderr } = await run()
    assert.equal(code, 2, stderr)
    return stderr
  }
  const both = await refused(
    'alerts:\n  - { name: a, above: 1, below: 2, metric: x, for: soon }\n  - { name: "b c" }\n',
  )
  assert.match(both, /alerts.0.for: "soon" is not a duration/)
  assert.match(both, /alerts.1.name/)
  assert.match(await refused('alerts: [{ name: a, metric: made_up, above: 1 }]'), /"made_up", which no job has/)
  assert.match(
    await refused('alerts: [{ name: a, query: active_users, column: x, above: 1 }]'),
    /active_users.x, which is not/,
  )
  const lasts = 'alerts: [{ name: a, metric: millrace_epoch, above: 1, clear: 2 }]'
  assert.match(await refused(lasts), /clear lies beyond the limit/)
})

async function home(t: TestContext): Promise<{
  folder: string
  run: () => ReturnType<typeof runMillrace>
  heard: { rule: string; state: string; pipeline: string }[]
  url: string
}> {
  const folder = await temporaryFolder(t)
  const heard: { rule: string; state: string; pipeline: string }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part) => (body += part))
    request.on('end', () => {
      heard.push(JSON.parse(body) as { rule: string; state: string; pipeline: string })
      response.end()
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => server.close())
  await runMillrace(['generate', '--preset', 'user-activity', ...EVENTS], { cwd: folder })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return { folder, run: () => runMillrace(RUN, { cwd: folder }), heard, url }
}
