import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeText, encodeText } from '../../src/base/bytes.ts'
import { Random } from '../../src/base/random.ts'
import type { Truth } from '../../src/generator/truth.ts'
import type { PipelinePlan } from '../../src/index.ts'
import { openEmbeddedLog } from '../../src/log/embedded-log.ts'
import type { Log } from '../../src/log/log.ts'
import { RecordBatchBuilder } from '../../src/log/record-batch-builder.ts'
import { PRESETS } from '../../src/pipelines/index.ts'
import { planToJson } from '../../src/plan/plan-codec.ts'
import { readValues } from './generated-topic.ts'
import { freshTopic, openTestLog, testKafka } from './kafka.ts'
import { CLOSING_USER, generatePreset, type PresetEvents, type PresetSummary, succeed } from './preset-run.ts'
import { startMillrace } from './run-millrace.ts'

/** Where a preset's events come from: `kafka` is a real cluster. */
export type Ground = 'embedded' | 'kafka'

/** Long enough after the last event that every window and session is over, and not ahead of any clock. */
const CLOSING_AFTER_MS = 34 * 3_600_000
/** A run that its failpoint has not met so long after its start is killed where it is. */
const LIFE_MS_MAX = 4_000
const STEPS = [
  ...['append:before-write', 'append:before-sync', 'append:after-sync', 'job:after-plan', 'job:after-compute'],
  ...['job:before-prepared', 'job:after-prepared', 'job:after-commit', 'job:before-snapshot', 'job:after-snapshot'],
  ...['sink:after-stage', 'sink:after-link', 'sink:before-log'],
]

/** What a preset made of events, some of which came late, twice or broken, and what is known of them. */
export interface PlayedPreset {
  /** Those that were accepted, without the one that closes all windows, with the folder of the outputs. */
  readonly accepted: PresetEvents
  readonly summary: PresetSummary
  readonly truth: Truth
  /** Kills that came while the job worked. */
  readonly kills: number
  /** Enriched events in Kafka, of presets that write them there. */
  readonly enriched: number | undefined
}

/** Generates events of a preset and lets it run over them, killed so many times on its way; they come piece by piece between the kills. */
export async function playPreset(
  t: TestContext,
  preset: string,
  { ground, kills, traffic }: { readonly ground: Ground; readonly kills: number; readonly traffic: readonly string[] },
): Promise<PlayedPreset> {
  const { folder } = await generatePreset(t, preset, '--truth', 'truth.json', ...traffic)
  const truth = JSON.parse(await readFile(join(folder, 'truth.json'), 'utf8')) as Truth
  const values = await valuesOf(folder)
  const feed = await openFeed(t, folder, ground, values.length)
  const args = await prepareRun(preset, feed, folder)
  const random = new Random(kills)
  let killed = 0
  for (let turn = 0; turn < kills; turn++) {
    await feed.send(values.map((own) => slice(own, turn, kills + 1)))
    if (await runAndKill(t, args, folder, random)) killed++
  }
  await feed.send(values.map((own) => [...slice(own, kills, kills + 1), closingEvent(values, truth)]))
  const summary = JSON.parse(await succeed([...args, '--once', '--json'], folder)) as PresetSummary
  const accepted = await acceptedLines(folder, values)
  return { accepted, summary, truth, kills: killed, enriched: await feed.enriched() }
}

interface Feed {
  readonly topic: string
  readonly options: readonly string[]
  readonly enrichedTopic: string | undefined
  /** By partition. */
  send(values: readonly (readonly Uint8Array[])[]): Promise<void>
  /** Records in the topic of enriched events. */
  enriched(): Promise<number | undefined>
}

async function openFeed(t: TestContext, folder: string, ground: Ground, partitions: number): Promise<Feed> {
  const topic = ground === 'kafka' ? freshTopic('fed') : 'fed'
  const servers = ground === 'kafka' ? (await testKafka()).bootstrap : undefined
  const open = (): Promise<Log> =>
    servers === undefined ? openEmbeddedLog(join(folder, 'home', 'log'), { mode: 'write' }) : openTestLog(servers)
  const log = await open()
  t.after(() => log.close())
  await log.createTopic(topic, { partitions })
  const enrichedTopic = servers === undefined ? undefined : freshTopic('enriched')
  return {
    topic,
    enrichedTopic,
    options: servers === undefined ? [] : ['--bootstrap-servers', servers],
    async send(values) {
      for (const [partition, own] of values.entries()) {
        const builder = new RecordBatchBuilder()
        for (const value of own) builder.add(null, value, Date.now())
        if (builder.recordCount > 0) await log.append(topic, partition, builder.finish())
      }
    },
    async enriched() {
      if (enrichedTopic === undefined || (await log.describeTopic(enrichedTopic)) === undefined) return undefined
      return (await readValues(log, enrichedTopic)).reduce((sum, own) => sum + own.length, 0)
    },
  }
}

/** The preset as a plan of its own, so that what it writes to a cluster meets nobody else's. */
async function prepareRun(preset: string, feed: Feed, folder: string): Promise<string[]> {
  const kafka = feed.enrichedTopic !== undefined
  const built = PRESETS.get(preset)?.build({ topic: feed.topic, output: 'out' }, { kafka })
  assert.ok(built)
  const plan: PipelinePlan = {
    ...built,
    name: freshTopic('p').slice(0, 60),
    queries: built.queries.map((query) => ({
      ...query,
      sinks: query.sinks.map((sink) => (sink.kind === 'kafka' ? { ...sink, topic: feed.enrichedTopic ?? '' } : sink)),
    })),
  }
  await writeFile(join(folder, 'plan.json'), planToJson(plan))
  const pace = ['--trigger', '20ms', '--snapshot-interval', '200ms', '--rows-per-epoch', '40']
  return ['run', 'plan.json', '--checkpoint', 'checkpoint', ...pace, ...feed.options]
}

/** Whether the run was killed while it worked, at a named step or at a random moment after it had begun. */
async function runAndKill(t: TestContext, args: readonly string[], cwd: string, random: Random): Promise<boolean> {
  const step = random.chance(0.7) ? `${random.pick(STEPS)}:${1 + random.below(4)}` : undefined
  const run = startMillrace(t, args, { cwd, env: step === undefined ? {} : { MILLRACE_FAILPOINT: step } })
  // How long a start takes is the machine's business.
  await newJournal(cwd, run.ended)
  if (step === undefined) await sleep(random.below(600))
  const ended = await Promise.race([run.ended, sleep(LIFE_MS_MAX, undefined)])
  run.child.kill('SIGKILL')
  const { code, stderr } = await run.ended
  assert.ok(code === null || code === 137, `a run ended by itself with ${code}: ${stderr}`)
  return step === undefined || ended !== undefined
}

/** Resolves when a process has begun its journal, or has ended. */
async function newJournal(folder: string, ended: Promise<unknown>): Promise<void> {
  const newest = async () => (await readdir(join(folder, 'checkpoint')).catch(() => [])).sort().at(-1)
  const before = await newest()
  let over = false
  ended.finally(() => {
    over = true
  })
  while (!over && (await newest()) === before) await sleep(10)
}

async function valuesOf(folder: string): Promise<Uint8Array[][]> {
  const log = await openEmbeddedLog(join(folder, 'home', 'log'), { mode: 'read' })
  try {
    return await readValues(log, 'generated')
  } finally {
    await log.close()
  }
}

function slice<T>(values: readonly T[], turn: number, turns: number): readonly T[] {
  return values.slice(Math.floor((turn * values.length) / turns), Math.floor(((turn + 1) * values.length) / turns))
}

const PLAIN_TYPES = /"(page_view|view|scroll|search)"/

/** An event like the others, so long after them that everything before it is over. */
function closingEvent(values: readonly (readonly Uint8Array[])[], truth: Truth): Uint8Array {
  for (const value of values.flat()) {
    const event = parsed(value)
    if (!event || !PLAIN_TYPES.test(Buffer.from(value).toString())) continue
    const field = 'event_time' in event ? 'event_time' : 'timestamp'
    const time = event[field]
    const at = new Date(truth.maxEventTimeMs + CLOSING_AFTER_MS)
    const user = typeof event['user_id'] === 'number' ? 1e9 : CLOSING_USER
    return encodeText(
      JSON.stringify({
        ...event,
        ...('event_id' in event ? { event_id: randomUUID() } : {}),
        user_id: user,
        session_id: CLOSING_USER,
        [field]:
          typeof time === 'number'
            ? Math.floor(at.getTime() / 1_000)
            : at.toISOString().slice(0, 19) + String(time).slice(19),
      }),
    )
  }
  return assert.fail('there is an event of a plain type')
}

function parsed(value: Uint8Array): Record<string, unknown> | undefined {
  try {
    const event: unknown = JSON.parse(decodeText(value))
    return typeof event === 'object' && event !== null ? { ...event } : undefined
  } catch {
    return undefined
  }
}

/** What the dead letters do not hold, by partition in files. */
async function acceptedLines(folder: string, values: readonly (readonly Uint8Array[])[]): Promise<PresetEvents> {
  const letters = join(folder, 'checkpoint', 'dead-letters')
  const refused = new Set<string>()
  for (const name of await readdir(letters)) {
    for (const line of (await readFile(join(letters, name), 'utf8')).split('\n').filter((one) => one !== '')) {
      const { partition, offset } = JSON.parse(line) as { partition: string; offset: number }
      const place = `${partition.slice(partition.lastIndexOf('-') + 1)} ${offset}`
      assert.ok(!refused.has(place), `refused once: ${place}`)
      refused.add(place)
    }
  }
  await mkdir(join(folder, 'accepted'))
  for (const [partition, own] of values.entries()) {
    const lines = own.filter((_, offset) => !refused.has(`${partition} ${offset}`))
    await writeFile(
      join(folder, 'accepted', `${partition}.ndjson`),
      lines.map((line) => `${Buffer.from(line)}\n`).join(''),
    )
  }
  return { folder, files: join(folder, 'accepted', '*.ndjson') }
}
