import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Broker, startCluster, stopBroker } from '../../scripts/kafka-cluster.ts'
import { type KafkaLog, openKafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { kafkaOptions } from '../../src/log/kafka/kafka-options.ts'
import { consoleConsumer } from '../support/committed-reader.ts'
import { KafkaRelay } from '../support/kafka-relay.ts'
import { DELAY_MS, EventFeed } from './event-feed.ts'
import { deadLetters, type Summary } from './judge.ts'
import { difference, expectedRows, type RowText, rowText } from './oracle.ts'
import { type JobProcess, LIFE_MS_MAX, PATIENCE_MS, startRun, type Verdict } from './scene.ts'
import type { ChaosOptions } from './suite.ts'

const OUTPUT = 'results'
const OUTPUT_PARTITIONS = 2
const PIPELINE = `
import { count, decimal, defineSchema, kafka, logSource, pipeline, stream, sum, text, timestamp, tumbling } from 'millrace'

const schema = defineSchema({ event_time: timestamp({ required: true }), page_url: text(), amount: decimal(2) })
const windows = stream(logSource('events'), schema)
  .withWatermark('event_time', '${DELAY_MS}ms', { idleTimeout: '1h' })
  .groupBy('page_url')
  .window(tumbling('1s'))
  .aggregate({ events: count(), revenue: sum('amount') })

export default pipeline('storm').query('closed', windows, [kafka('${OUTPUT}', { key: 'page_url' })])
`
const EVENTS_A_TURN = 30
const TURN_MS = 40
/** A job that has made nothing visible for so long hangs. A broker of a crowded machine takes half a minute to start. */
export const PROGRESS_MS_MAX = 120_000
const POLL_MS = 20
/** It has to read what has come since the job before it got stuck, if it did. */
const LAST_RUN_MS_MAX = 180_000

/** A job that reads a topic and writes another one, through a relay that can be cut; and events that keep coming. */
export interface KafkaScene {
  readonly folder: string
  readonly feed: EventFeed
  readonly relay: KafkaRelay
  /** Connected past the relay. */
  readonly log: KafkaLog
  readonly endings: (() => Promise<unknown>)[]
  broker: Broker
  /** The process that is to do the work. */
  job: JobProcess
  readonly problems: string[]
  /** Starts a process of the job. */
  start(args?: readonly string[], failpoint?: string): JobProcess
  /** Runs while no events are sent: those under way would be given up when the broker is away for a minute. */
  quietly(run: () => Promise<void>): Promise<void>
  stopFeeding(): Promise<void>
}

/** Sets a scene up, in which the job runs and events come, and clears it away whatever happens. */
export async function withKafkaScene<T>({ seed }: ChaosOptions, play: (scene: KafkaScene) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-chaos-kafka-'))
  const endings: (() => Promise<unknown>)[] = []
  const relay = await KafkaRelay.start()
  try {
    const cluster = await startCluster({ folder: join(folder, 'broker'), brokers: 1, relayPort: relay.port })
    relay.target = cluster.behindRelay
    const log = await openKafkaLog(kafkaOptions(cluster.bootstrap, {}))
    const [broker] = cluster.brokers
    if (!broker) throw new Error('a cluster has a broker')
    await mkdir(join(folder, 'home'))
    await writeFile(join(folder, 'pipeline.ts'), PIPELINE)
    await log.createTopic(OUTPUT, { partitions: OUTPUT_PARTITIONS })
    const feed = new EventFeed(log, join(folder, 'raw.ndjson'), seed)
    await feed.begin()
    const feeding = keepFeeding(feed)
    const start = (args: readonly string[] = [], failpoint?: string): JobProcess =>
      startRun(
        { folder, endings },
        args,
        {
          KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${relay.port}`,
          ...(failpoint !== undefined && { MILLRACE_FAILPOINT: failpoint }),
        },
        args.includes('--once') ? LAST_RUN_MS_MAX : LIFE_MS_MAX,
      )
    const scene = { folder, feed, relay, log, endings, broker, job: start(), problems: [], start, ...feeding }
    endings.push(
      () => feeding.stopFeeding(),
      () => log.close(),
      () => stopBroker(scene.broker, 'SIGKILL'),
    )
    return await play(scene)
  } finally {
    await Promise.allSettled(endings.map((end) => end()))
    relay.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function keepFeeding(feed: EventFeed): Pick<KafkaScene, 'quietly' | 'stopFeeding'> {
  let stopped = false
  let quiet: Promise<void> | undefined
  let sending: Promise<void> = Promise.resolve()
  const feeding = (async () => {
    while (!stopped) {
      await quiet
      sending = feed.send(EVENTS_A_TURN)
      await sending
      await sleep(TURN_MS)
    }
  })()
  // Whoever stops it is told.
  feeding.catch(() => {})
  return {
    async quietly(run) {
      let goOn = (): void => {}
      quiet = new Promise((resolve) => {
        goOn = resolve
      })
      try {
        await sending
        await run()
      } finally {
        quiet = undefined
        goOn()
      }
    },
    stopFeeding() {
      stopped = true
      return feeding
    },
  }
}

/** Resolves once the job has made more visible than at the call; what hinders it is a problem. */
export async function untilMoreIsVisible(scene: KafkaScene, after: string): Promise<void> {
  const startMs = performance.now()
  const before = await visibleEnd(scene)
  const ended = scene.job.ended.then((how) => how)
  while ((await visibleEnd(scene)) <= before) {
    const early = await Promise.race([ended, sleep(POLL_MS, undefined)])
    if (early) scene.problems.push(`after ${after} the job ended with ${early.code}: ${early.stderr.slice(-500)}`)
    else if (performance.now() - startMs > PROGRESS_MS_MAX) scene.problems.push(`after ${after} nothing is written`)
    else continue
    return
  }
}

/** Of the topic that is written, the ends of its partitions added up. */
async function visibleEnd({ log }: KafkaScene): Promise<number> {
  try {
    return (await log.topicOffsets(OUTPUT)).reduce((sum, { end }) => sum + end, 0)
  } catch {
    return 0
  }
}

/** Number of processes that have written to the checkpoint. */
export async function newestFence({ folder }: KafkaScene): Promise<number> {
  const names = await readdir(join(folder, 'checkpoint')).catch(() => [])
  return Math.max(0, ...names.filter((name) => name.startsWith('journal-')).map((name) => Number(name.split('-')[1])))
}

/** Ends the job that runs, lets another come to the end of the input, and compares what Kafka's own consumer reads with the oracle. */
export async function finishKafka(scene: KafkaScene): Promise<Verdict> {
  const { folder, feed, problems } = scene
  scene.job.kill()
  await scene.job.ended
  await scene.stopFeeding()
  await feed.closeWindows()
  const last = await scene.start(['--once', '--json']).ended
  const hangs = last.hung ? 1 : 0
  if (last.code !== 0) {
    problems.push(`the last run ended with ${last.code}: ${last.stderr.slice(-1_000)}`)
    return { lost: 0, duplicated: 0, hangs, problems }
  }
  const summary = JSON.parse(last.stdout) as Summary
  if (summary.rowsRead !== feed.sent) problems.push(`${feed.sent} events sent, ${summary.rowsRead} read`)
  const letters = await deadLetters(join(folder, 'checkpoint', 'dead-letters'))
  if (letters !== feed.malformed) problems.push(`${letters} dead letters for ${feed.malformed} broken lines`)
  const { closed } = await expectedRows(join(folder, 'raw.ndjson'), DELAY_MS)
  let found = await committedRows(scene)
  // That reader ends when nothing comes for a while, be it that the machine is busy: what it did not see it is given more time for.
  if (found.length < closed.length) found = await committedRows(scene, PATIENCE_MS / 3)
  if (closed.length === 0) problems.push('the oracle has no rows, so nothing was tested')
  const { lost, surplus } = difference(closed, found)
  if (lost.length > 0) problems.push(`lost ${lost.slice(0, 3).join(', ')}`)
  if (surplus.length > 0) problems.push(`surplus ${surplus.slice(0, 3).join(', ')}`)
  return { lost: lost.length, duplicated: surplus.length, hangs, problems }
}

async function committedRows({ broker }: KafkaScene, silenceMs?: number): Promise<RowText[]> {
  return (await consoleConsumer(broker.address, OUTPUT, silenceMs)).map((line) => {
    const row = JSON.parse(line) as Record<string, unknown>
    return rowText(Date.parse(String(row['window_start'])), row['page_url'], row['events'], row['revenue'])
  })
}
