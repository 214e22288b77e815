// What the command says about itself, where its settings come from, and that it keeps secrets to itself.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { openEmbeddedLog } from '../../src/log/embedded-log.ts'
import { ROUTE_PATHS } from '../../src/server/routes.ts'
import { draftOf } from '../support/log-records.ts'
import { COMMAND, runMillrace, startMillrace, temporaryFolder } from '../support/run-millrace.ts'

const PIPELINE = `
import { clickEvent, count, logSource, memorySink, pipeline, stream, tumbling } from 'millrace'
const events = stream(logSource('events'), clickEvent).withWatermark('event_time', '1 second')
const types = events.groupBy('event_type').window(tumbling('1 minute')).aggregate({ events: count() })
export default pipeline('types').query('types', types, [memorySink()])
`
const EVENT = '{"event_time":"2026-01-01T00:00:00Z","user_id":"u","event_type":"click"}\n'

test('without a word, and for a word that only holds others, help is shown as a mistake', async (t) => {
  const cwd = await temporaryFolder(t)
  for (const args of [[], ['topics']]) {
    const run = await runMillrace(args, { cwd })
    assert.equal(run.code, 2)
    assert.match(run.stderr, /^Examples:\n/)
    assert.equal(run.stdout, '')
  }
  const asked = await runMillrace(['topics', '--help'], { cwd })
  assert.equal(asked.code, 0)
  assert.match(asked.stdout, /^Examples:\n/)
})

test('colours are there when asked for, and never in a pipe or against NO_COLOR', async (t) => {
  const cwd = await temporaryFolder(t)
  const colour = async (env: Record<string, string>): Promise<boolean[]> => {
    const [help, error] = await Promise.all([runMillrace(['--help'], { cwd, env }), runMillrace(['rnu'], { cwd, env })])
    return [help.stdout.includes('\u001b['), error.stderr.includes('\u001b[')]
  }
  assert.deepEqual(await colour({}), [false, false])
  assert.deepEqual(await colour({ FORCE_COLOR: '1' }), [true, true])
  assert.deepEqual(await colour({ NO_COLOR: '1' }), [false, false])
})

test('types are stripped once: the first start keeps the code of what it loads for those that follow', async (t) => {
  const cwd = await temporaryFolder(t)
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  const { status } = spawnSync(process.execPath, [COMMAND, '--version'], { cwd, env: { ...env, TMPDIR: cwd } })
  assert.equal(status, 0)
  const kept = await readdir(join(cwd, 'node-compile-cache'), { recursive: true })
  assert.ok(kept.length > 100, `${kept.length} entries`)
})

test('a shell completes commands and options', async (t) => {
  const cwd = await temporaryFolder(t)
  const { stdout } = await runMillrace(['completion', 'bash'], { cwd })
  const completed = (...line: string[]): string[] => {
    const script = `${stdout}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _millrace; echo "\${COMPREPLY[*]}"`
    return spawnSync('bash', ['-c', script, 'bash', ...line], { encoding: 'utf8' })
      .stdout.trim()
      .split(' ')
  }
  assert.deepEqual(completed('millrace', 'to'), ['topics'])
  assert.deepEqual(completed('millrace', 'topics', 'p'), ['peek'])
  assert.deepEqual(completed('millrace', 'run', 'x.ts', '--water'), ['--watermark-delay'])
  const fish = await runMillrace(['completion', 'fish'], { cwd })
  assert.match(fish.stdout, /^complete -c millrace -n '__fish_seen_subcommand_from run' -l watermark-delay$/m)
  const zsh = await runMillrace(['completion', 'zsh'], { cwd })
  assert.match(zsh.stdout, /^autoload .*bashcompinit/)
})

test('a flag beats the environment, that beats .env, that beats the file; the commands follow', async (t) => {
  const cwd = await temporaryFolder(t)
  const env = { MILLRACE_HOME: '' }
  const heldBy = async (args: readonly string[], more: Record<string, string> = {}): Promise<string> => {
    const listing = await runMillrace(['topics', 'list', ...args], { cwd, env: { ...env, ...more } })
    assert.equal(listing.code, 2)
    return /there is no log in .*\/(\S+)\/log/.exec(listing.stderr)?.[1] ?? listing.stderr
  }
  assert.equal(await heldBy([]), '.millrace')
  await writeFile(join(cwd, 'other.yaml'), 'home: by-other-file\n')
  assert.equal(await heldBy(['--config', 'other.yaml']), 'by-other-file')
  await writeFile(join(cwd, 'millrace.yaml'), 'home: by-file\n')
  assert.equal(await heldBy([]), 'by-file')
  await writeFile(join(cwd, '.env'), 'MILLRACE_HOME=by-env-file\n')
  assert.equal(await heldBy([]), 'by-env-file')
  assert.equal(await heldBy([], { MILLRACE_HOME: 'by-environment' }), 'by-environment')
  assert.equal(await heldBy(['--home', 'by-flag'], { MILLRACE_HOME: 'by-environment' }), 'by-flag')
  const shown = await runMillrace(['config', 'show', '--json'], { cwd, env })
  const home = (JSON.parse(shown.stdout) as { name: string }[]).find(({ name }) => name === 'home')
  assert.deepEqual(home, { name: 'home', value: 'by-env-file', origin: '.env: MILLRACE_HOME', env: ['MILLRACE_HOME'] })
})

test('a run that is started before whoever makes its topic waits for it, and says so', async (t) => {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 'types.ts'), PIPELINE)
  const early = startMillrace(t, ['run', 'types.ts', '--once', '--json'], { cwd })
  await early.says(/waiting for a log in .*\/home\/log/)
  const log = await openEmbeddedLog(join(cwd, 'home/log'), { mode: 'write' })
  await early.says(/waiting for the topic "events" in the log/)
  await log.createTopic('events', { partitions: 1 })
  await log.append('events', 0, draftOf(EVENT.trim()))
  await log.close()
  const { code, stdout, stderr } = await early.ended
  assert.equal(code, 0, stderr)
  assert.equal((JSON.parse(stdout) as { rowsRead: number }).rowsRead, 1)
})

test('names of a source system lead the run to its topic and its output, and say so', {
  timeout: 60_000,
}, async (t) => {
  const cwd = await temporaryFolder(t)
  await writeFile(
    join(cwd, 'types.ts'),
    PIPELINE.replace('memorySink', 'jsonLines').replace('memorySink()', "jsonLines('x/types')"),
  )
  await writeFile(
    join(cwd, '.env'),
    'KAFKA_TOPIC=clicks\nOUTPUT_PATH=data\nCHECKPOINT_PATH=states\nRUN_ID=blue\nSPARK_WORKER_CORES=4\nWATERMARK_DELAY=0s\n',
  )
  const produced = await runMillrace(['produce', '-'], { cwd, input: EVENT + EVENT.replace('00:00:00', '00:05:00') })
  assert.match(produced.stderr, /2 records sent to clicks/)
  const live = startMillrace(t, ['run', 'types.ts', '--serve', '--port', '0', '--json'], { cwd })
  const [, url] = await live.says(/page {5}(\S+)/)
  const healthy = await runMillrace(['status', '--url', url as string, '--exit-when-healthy', '--json'], { cwd })
  assert.equal(healthy.code, 0, healthy.stderr)
  assert.equal((JSON.parse(healthy.stdout) as { pipeline: string }).pipeline, 'types')
  await until(async () => (await readdir(join(cwd, 'data/types'))).some((name) => name.endsWith('.ndjson')))
  live.child.kill('SIGINT')
  const run = await live.ended
  assert.equal(run.code, 0, run.stderr)
  assert.match(run.stderr, /notice: without effect: SPARK_WORKER_CORES say how a Spark cluster is run/)
  assert.match(
    run.stderr,
    /notice: reading the topic "clicks" \(\.env: KAFKA_TOPIC\) instead of the pipeline's "events"/,
  )
  assert.equal((JSON.parse(run.stdout) as { rowsRead: number }).rowsRead, 2)
  assert.ok((await readdir(join(cwd, 'states/blue/types'))).some((name) => name.startsWith('snapshot')))
})

test('a token is asked for everywhere and shown nowhere', async (t) => {
  const cwd = await temporaryFolder(t)
  const canary = 'canary-"7f3a\\91'
  await writeFile(join(cwd, '.env'), `MILLRACE_TOKEN='${canary}'\nDB_PASSWORD='second-canary'\n`)
  await writeFile(join(cwd, 'types.ts'), PIPELINE)
  await writeFile(join(cwd, 'throws.ts'), "throw new Error('cannot log in with ' + process.env.DB_PASSWORD)\n")
  await mkdir(join(cwd, canary.replaceAll(/\W/g, '')))
  const outputs: string[] = []
  const demo = startMillrace(t, ['demo', '--no-open', '--port', '0', '--host', '0.0.0.0', '--home', 'demo'], { cwd })
  const [, url] = await demo.says(/page {5}(\S+)/)
  for (const path of ROUTE_PATHS.map((route) => route.replace(':name', 'page_metrics'))) {
    const refused = await fetch(new URL(path, url))
    assert.equal(refused.status, 401, path)
    const abort = new AbortController()
    const headers = { authorization: `Bearer ${canary}` }
    const answer = await fetch(new URL(path, url), { headers, signal: abort.signal })
    // The page need not be built, and the demo has no model.
    assert.ok([200, path === '/api/predict' ? 404 : 503].includes(answer.status), `${path}: ${answer.status}`)
    outputs.push(await refused.text(), await firstText(answer))
    abort.abort()
  }
  const status = await runMillrace(['status', '--url', url as string], { cwd })
  assert.equal(status.code, 0, status.stderr)
  const foreign = await runMillrace(['status', '--url', url as string], {
    cwd,
    env: { MILLRACE_TOKEN: 'another-token' },
  })
  assert.equal(foreign.code, 2)
  assert.match(foreign.stderr, /does not let this request in \(401\)/)
  demo.child.kill('SIGINT')
  outputs.push(...texts(status), ...texts(foreign), ...texts(await demo.ended))
  for (const args of [
    ['config', 'show', '--origin'],
    ['config', 'show', '--json'],
    ['run', canary],
    ['run', 'types.ts', '--trigger', canary],
    ['run', 'types.ts', '--print', canary],
    ['run', 'throws.ts'],
    ['validate', 'throws.ts', '--json'],
    ['status', '--url', canary],
    [canary],
    ['topics', 'list', `--${canary}`],
  ]) {
    const run = await runMillrace(args, { cwd })
    outputs.push(...texts(run))
    if (args[0] !== 'config') assert.match(run.stdout + run.stderr, /\[redacted\]/, args.join(' '))
  }
  for (const output of outputs) assert.doesNotMatch(output, /7f3a|second-canary/)
  const files = await readdir(join(cwd, 'demo'), { recursive: true, withFileTypes: true })
  for (const file of files.filter((entry) => entry.isFile())) {
    const bytes = await readFile(join(file.parentPath, file.name))
    assert.ok(!bytes.includes('7f3a\\91'), file.name)
  }
})

test('a token can be in a file; the command line beats the environment there too', async (t) => {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 'token'), 'from-the-file\n')
  const env = { MILLRACE_TOKEN: 'from-the-environment' }
  const demo = startMillrace(t, ['demo', '--no-open', '--port', '0', '--home', 'demo', '--token-file', 'token'], {
    cwd,
    env,
  })
  const [, url] = await demo.says(/page {5}(\S+)/)
  const ask = async (token: string): Promise<number> =>
    (await fetch(new URL('/api/status', url), { headers: { authorization: `Bearer ${token}` } })).status
  assert.deepEqual([await ask('from-the-file'), await ask('from-the-environment')], [200, 401])
  demo.child.kill('SIGINT')
  assert.equal((await demo.ended).code, 0)
})

/** As much of an answer as has come with its first piece: an event stream never ends. */
async function firstText(answer: Response): Promise<string> {
  const piece = await answer.body?.getReader().read()
  return Buffer.from(piece?.value ?? []).toString('utf8')
}

function texts(run: { readonly stdout: string; readonly stderr: string }): string[] {
  return [run.stdout, run.stderr]
}

/** Looks again until it holds; the time-out of the test ends what never does. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 20))
}
