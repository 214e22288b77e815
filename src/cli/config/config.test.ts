import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { assertNoProblems, type Config, readConfig } from './config.ts'
import { configJsonSchema } from './config-schema.ts'
import { envExample } from './env-example.ts'
import { formatSetting, parseSetting } from './setting-value.ts'
import { SETTINGS, UNUSED_NAMES } from './settings.ts'

interface Given {
  readonly env?: Readonly<Record<string, string>>
  readonly envFile?: string
  readonly yaml?: string
  readonly file?: string
}

test('the environment beats .env, .env beats the file, and each value says where it was found', async (t) => {
  const config = await configOf(t, {
    env: { MILLRACE_TRIGGER: '1s' },
    envFile: 'MILLRACE_TRIGGER=2s\nMILLRACE_PORT=81\n',
    yaml: 'trigger: 3s\nport: 82\nrate: 83\n',
  })
  assert.deepEqual(
    [...config.values],
    [
      ['trigger', { value: 1_000, origin: 'MILLRACE_TRIGGER' }],
      ['rate', { value: 83, origin: 'millrace.yaml' }],
      ['port', { value: 81, origin: '.env: MILLRACE_PORT' }],
    ],
  )
})

test('names of the source systems mean what ours mean, and ours beat them', async (t) => {
  const env = {
    KAFKA_TOPIC: 'clicks',
    KAFKA_STARTING_OFFSETS: 'latest',
    MSGS_PER_SEC: '50',
    WATERMARK_DELAY: '5 minutes',
    TRIGGER_INTERVAL: '10 seconds',
    OUTPUT_PATH: '/data/output',
    CHECKPOINT_PATH: '/data/checkpoints',
    RUN_ID: 'blue',
    maxOffsetsPerTrigger: '20000',
    MILLRACE_RATE: '70',
  }
  const { values, notices } = await configOf(t, { env })
  assert.deepEqual(Object.fromEntries([...values].map(([name, { value }]) => [name, value])), {
    topic: 'clicks',
    from: 'latest',
    'watermark-delay': 300_000,
    trigger: 10_000,
    'rows-per-epoch': 20_000,
    output: '/data/output',
    'checkpoint-root': '/data/checkpoints',
    'run-id': 'blue',
    rate: 70,
  })
  assert.deepEqual(notices, [])
})

test('names without a counterpart and misspelt ones are reported once, together', async (t) => {
  const { notices } = await configOf(t, {
    env: { SPARK_MASTER_URL: 'spark://x', PAGE_WINDOW: '1 minute', MILLRACE_TRIGER: '1s', MILLRACE_DEBUG: '1' },
    envFile: 'SPARK_WORKER_CORES=2\n',
  })
  assert.equal(notices.length, 1)
  assert.match(notices[0] as string, /SPARK_MASTER_URL, SPARK_WORKER_CORES say how a Spark cluster is run/)
  assert.match(notices[0] as string, /PAGE_WINDOW are for presets that have such a thing/)
  assert.match(notices[0] as string, /MILLRACE_TRIGER is no setting \(did you mean MILLRACE_TRIGGER\?\)/)
  assert.doesNotMatch(notices[0] as string, /DEBUG/)
})

// A38, B32, E17
test('of the names that concern a Spark cluster or its producer none is passed over in silence', async (t) => {
  const names = UNUSED_NAMES.flatMap(([, unused]) => unused)
  for (const name of ['PYSPARK_GATEWAY_TIMEOUT', 'SPARK_MEMORY_EXECUTOR', 'SPARK_MEMORY_DRIVER', 'MSG_ACKS']) {
    assert.ok(names.includes(name), name)
  }
  const { notices, problems } = await configOf(t, { env: Object.fromEntries(names.map((name) => [name, '1g'])) })
  assert.deepEqual([notices.length, problems], [1, []])
  for (const name of names) assert.ok(notices[0]?.includes(name), name)
})

test('everything that is wrong is told at once, with its place and what was expected', async (t) => {
  const { problems } = await configOf(t, {
    env: { MILLRACE_FROM: 'latst', MILLRACE_TOKEN: 'short' },
    envFile: 'MILLRACE_RATE=many\n',
    yaml: 'snapshot-intervall: 1s\nport: 99999\ntrigger: [1]\n__proto__: { port: 1 }\n',
  })
  assert.deepEqual(problems.toSorted(), [
    '.env: MILLRACE_RATE: "many" is not a whole number from 1 on',
    'MILLRACE_FROM: "latst" is not earliest or latest (did you mean "latest"?)',
    'MILLRACE_TOKEN: the value is not a secret of at least 8 characters without spaces',
    'millrace.yaml: port: "99999" is not a port from 0 to 65535',
    `millrace.yaml: there is no setting "__proto__" (there are ${SETTINGS.map(({ name }) => name).join(', ')})`,
    'millrace.yaml: there is no setting "snapshot-intervall" (did you mean "snapshot-interval"?)',
    'millrace.yaml: trigger: "[1]" is not a duration such as 30s, "5 minutes" or 1h',
  ])
  assert.throws(() => assertNoProblems(problems), /^MillraceError: 7 settings are wrong:\n {2}\S/)
})

test('a file that is named must be there; one that is no YAML says where', async (t) => {
  await assert.rejects(configOf(t, { file: 'other.yaml' }), /there is no file "other.yaml"/)
  await assert.rejects(
    configOf(t, { yaml: 'port: 1\nhost: "open\n' }),
    /millrace.yaml is not YAML \(line \d+, column \d+\)/,
  )
  await assert.rejects(configOf(t, { yaml: 'port: 1\nport: 2\n' }), /millrace.yaml is not YAML .*unique/)
})

test('a file that is a list, or holds nothing, is told from one with settings', async (t) => {
  const list = await configOf(t, { yaml: '- port\n' })
  assert.deepEqual(list.problems, ['millrace.yaml: the file must be a list of lines such as `trigger: 1s`'])
  const empty = await configOf(t, { yaml: '# nothing yet\n' })
  assert.deepEqual([empty.problems, empty.values.size], [[], 0])
})

test('an empty variable is as good as none', async (t) => {
  const { values } = await configOf(t, { env: { MILLRACE_PORT: '' }, envFile: 'MILLRACE_PORT=\n', yaml: 'port: 5\n' })
  assert.deepEqual(values.get('port'), { value: 5, origin: 'millrace.yaml' })
})

test('the table of settings fits together', () => {
  const names = SETTINGS.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  const env = [...SETTINGS.flatMap((setting) => setting.env), ...UNUSED_NAMES.flatMap(([, unused]) => unused)]
  assert.equal(new Set(env).size, env.length, 'no name in the environment has two meanings')
  for (const setting of SETTINGS) {
    assert.equal(setting.env[0], `MILLRACE_${setting.name.toUpperCase().replaceAll('-', '_')}`)
    assert.ok((setting.default === undefined) !== (setting.otherwise === undefined), `${setting.name} says what holds`)
    if (setting.default === undefined) continue
    const value = parseSetting(setting, setting.default)
    assert.ok(value !== undefined && formatSetting(setting, value) === setting.default, setting.name)
  }
})

test('the JSON Schema and the .env.example hold every setting', async (t) => {
  const { properties } = configJsonSchema() as { properties: Record<string, { description: string }> }
  assert.deepEqual(
    Object.keys(properties),
    SETTINGS.map(({ name }) => name),
  )
  const text = envExample()
  assert.equal(readFileSync('.env.example', 'utf8'), text, '`millrace config env > .env.example` brings it up to date')
  for (const setting of SETTINGS) for (const name of setting.env) assert.match(text, new RegExp(`\\b${name}\\b`))
  const { values, problems } = await configOf(t, { envFile: text.replaceAll(/^#MILLRACE/gm, 'MILLRACE') })
  assert.deepEqual(problems, [])
  assert.deepEqual(
    [...values.keys()],
    SETTINGS.filter((setting) => setting.default !== undefined).map(({ name }) => name),
  )
})

async function configOf(t: TestContext, given: Given): Promise<Config> {
  const workingFolder = await mkdtemp(join(tmpdir(), 'millrace-config-'))
  t.after(() => rm(workingFolder, { recursive: true }))
  if (given.envFile !== undefined) await writeFile(join(workingFolder, '.env'), given.envFile)
  if (given.yaml !== undefined) await writeFile(join(workingFolder, 'millrace.yaml'), given.yaml)
  return readConfig({ workingFolder, env: given.env ?? {}, file: given.file })
}
