import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { kafkaTool } from '../../scripts/kafka-cluster.ts'
import { systemClock } from '../../src/base/clock.ts'
import { generateInto } from '../../src/generator/load.ts'
import { generatorSettings } from '../../src/generator/settings.ts'
import { count, defineSchema, pipeline, stream, timestamp, tumbling } from '../../src/index.ts'
import { openJob } from '../../src/job/open-job.ts'
import type { KafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { RecordBatchBuilder } from '../../src/log/record-batch-builder.ts'
import { logSource, memorySink } from '../../src/plan/connectors.ts'
import { createSource } from '../../src/sources/index.ts'
import { readValues, recount } from '../support/generated-topic.ts'
import { freshTopic, openTestLog, testKafka } from '../support/kafka.ts'
import { requirement } from '../support/requirement.ts'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'

describe('a job between topics of Kafka', requirement('kafka'), () => {
  let servers: string
  let log: KafkaLog
  before(async () => {
    servers = (await testKafka()).bootstrap
    log = await openTestLog(servers)
  })
  after(() => log?.close())

  test('killed at every step, it has written each window once, with the right numbers', async (t) => {
    const folder = await temporaryFolder(t)
    const [input, output] = [freshTopic('input'), freshTopic('output')]
    const settings = generatorSettings({ partitions: 3, eventsPerSecond: 500, malformedFraction: 0.01 })
    const options = { pace: 'flat-out', startTimeMs: Date.UTC(2026, 10, 24), batchBytes: 4_000 } as const
    const more = (known: boolean) => generateInto(log, input, known ? undefined : settings, { ...options, rows: 700 })
    await more(false)
    await writeFile(join(folder, 'pipeline.ts'), pipelineText(input, output))
    const run = (parallelism: number, failpoint?: string) => {
      const how = ['--checkpoint', 'state', '--trigger', '1ms', '--parallelism', String(parallelism)]
      return runMillrace(['run', 'pipeline.ts', '--once', ...how], {
        cwd: folder,
        env: {
          KAFKA_BOOTSTRAP_SERVERS: servers,
          ...(failpoint && { MILLRACE_FAILPOINT: failpoint, MILLRACE_FAILPOINT_TRACE: join(folder, 'trace') }),
        },
      })
    }
    for (const [index, failpoint] of STEPS.entries()) {
      const { code, stderr } = await run(1 + (index % 2), failpoint)
      assert.equal(code, null, `${failpoint} was not reached: ${stderr}`)
      await more(true)
    }
    const last = await run(2)
    assert.equal(last.code, 0, last.stderr)
    const reached = await readFile(join(folder, 'trace'), 'utf8')
    for (const step of STEPS) assert.ok(reached.includes(step), step)

    // A11: how far it has come can be seen by the tool that shows it for any consumer group.
    const group = await kafkaTool('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', [
      ...['--bootstrap-server', servers, '--describe', '--group', `millrace-${output}`],
    ])
    const lags = [...group.matchAll(/^millrace-\S+ +(\S+) +\d+ +\d+ +\d+ +(\d+) /gm)]
    assert.deepEqual(
      lags.map(([, topic, lag]) => [topic, lag]),
      Array.from({ length: 3 }, () => [input, '0']),
      group,
    )

    const expected = recount((await readValues(log, input)).flat(), 1_000)
    const rows = (await committedRows(log, output)).map((row) => JSON.parse(row) as Record<string, string | number>)
    const keys = rows.map((row) => `${Date.parse(String(row['window_start']))} | ${row['page_url']}`)
    assert.equal(new Set(keys).size, keys.length, 'no window comes twice')
    for (const [index, key] of keys.entries()) assert.equal(rows[index]['events'], expected.pages.get(key)?.[0], key)
    // What is closed is there in full: every group of each window that has any.
    const closed = new Set(rows.map((row) => Date.parse(String(row['window_start']))))
    assert.ok(closed.size > 5, `${closed.size} windows`)
    const due = [...expected.pages.keys()].filter((key) => closed.has(Number(key.split(' | ')[0])))
    assert.deepEqual(keys.toSorted(), due.toSorted())
  })

  test('partitions that are added while it runs are read from their first record', async (t) => {
    const topic = freshTopic('growing')
    await log.createTopic(topic, { partitions: 2 })
    const schema = defineSchema({ event_time: timestamp({ required: true }) })
    const query = stream(logSource(topic, { from: 'latest' }), schema)
      .withWatermark('event_time', '1s')
      .window(tumbling('1s'))
      .aggregate({ events: count() })
    const folder = await temporaryFolder(t)
    const source = await createSource(logSource(topic, { from: 'latest' }), {
      workingFolder: folder,
      stdin: process.stdin,
      openLog: async () => log,
    })
    const job = await openJob({
      plan: pipeline('growing').query('all', query, [memorySink()]),
      source,
      checkpointFolder: join(folder, 'state'),
      deadLetterFolder: join(folder, 'dead'),
      workingFolder: folder,
      settings: {
        triggerMs: 10,
        snapshotIntervalMs: 1_000,
        rowsPerEpochMax: 1_000,
        prefetchBytesMax: 1 << 20,
        once: false,
        flushAtEnd: false,
      },
      live: false,
      parallelism: 2,
      clock: systemClock,
      print: () => {},
      views: [],
    })
    const running = job.run()
    const untilRead = (rows: number) =>
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (job.status().rowsRead < rows) return
          end()
          resolve()
        }
        const end = job.subscribe(look)
        look()
      })
    const append = async (partition: number): Promise<void> => {
      const builder = new RecordBatchBuilder(128)
      builder.add(null, Buffer.from(`{"event_time":"2026-11-24T00:00:0${partition}Z"}`), Date.now())
      await log.append(topic, partition, builder.finish())
    }
    while (job.status().state !== 'running') await systemClock.sleep(20)
    await append(0)
    await untilRead(1)
    await kafkaTool('org.apache.kafka.tools.TopicCommand', [
      ...['--bootstrap-server', servers, '--alter', '--topic', topic, '--partitions', '4'],
    ])
    await append(3)
    await append(2)
    await append(1)
    await untilRead(4)
    job.stop()
    const status = await running
    assert.equal(status.rowsRead, 4)
    assert.equal(status.partitions.length, 4)
  })
})

/** Where the process dies: before and after each thing that is seen from outside. */
const STEPS = [
  'job:after-plan',
  'kafka-sink:after-outbox',
  'job:before-prepared',
  'job:after-prepared',
  'kafka-sink:before-write',
  'kafka-sink:after-write',
  'job:after-commit',
  'job:after-snapshot',
]

function pipelineText(input: string, output: string): string {
  return `
import { clickEvent, clickEventRules, count, kafka, logSource, pipeline, stream, tumbling } from 'millrace'
const pages = stream(logSource('${input}'), clickEvent, { rules: clickEventRules })
  .withWatermark('event_time', '1s')
  .groupBy('page_url')
  .window(tumbling('1s'))
  .aggregate({ events: count() })
export default pipeline('${output}').query('pages', pages, [kafka('${output}', { key: 'page_url' })])
`
}

async function committedRows(log: KafkaLog, topic: string): Promise<string[]> {
  const rows: string[] = []
  const fetcher = log.fetcher(await log.topics.get(topic))
  for (const [partition, end] of (await log.findOffsets(topic, 'written-end')).entries()) {
    for await (const { bytes } of fetcher.read(partition, 0, end, AbortSignal.timeout(20_000))) {
      for (const [row] of Buffer.from(bytes)
        .toString('latin1')
        .matchAll(/\{"window_start".*?\}/g))
        rows.push(row)
    }
  }
  fetcher.close()
  return rows
}
