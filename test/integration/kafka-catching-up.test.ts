import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { encodeText } from '../../src/base/bytes.ts'
import { MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND } from '../../src/base/time.ts'
import type { KafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { RecordBatchBuilder } from '../../src/log/record-batch-builder.ts'
import { readOutputLog } from '../../src/sinks/output-log.ts'
import { freshTopic, openTestLog, testKafka } from '../support/kafka.ts'
import { requirement } from '../support/requirement.ts'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'

const START_MS = Date.UTC(2026, 10, 24)
const SPAN_MS = 3 * MS_PER_HOUR
/** One event after so long, by partition: what is an hour in one is a moment in another. */
const STEPS_MS = [100, MS_PER_SECOND, 10 * MS_PER_SECOND, 100 * MS_PER_SECOND]
const PAGES = 7
const ROWS_PER_BATCH = 500

describe('a job that has fallen behind', requirement('kafka'), () => {
  let servers: string
  let log: KafkaLog
  before(async () => {
    servers = (await testKafka()).bootstrap
    log = await openTestLog(servers)
  })
  after(() => log?.close())

  test('reads partitions hours of event time apart, and counts nothing late and every group right', async (t) => {
    const folder = await temporaryFolder(t)
    const topic = freshTopic('behind')
    await log.createTopic(topic, { partitions: STEPS_MS.length })
    const expected = await fill(log, topic)
    for (const parallelism of [1, 2]) {
      const output = `out-${parallelism}`
      await writeFile(join(folder, 'pipeline.ts'), pipelineText(topic, output))
      const { code, stdout, stderr } = await runMillrace(
        [
          ...['run', 'pipeline.ts', '--once', '--json', '--checkpoint', `state-${parallelism}`],
          ...['--rows-per-epoch', '2000', '--trigger', '1ms', '--parallelism', String(parallelism)],
        ],
        { cwd: folder, env: { KAFKA_BOOTSTRAP_SERVERS: servers } },
      )
      assert.equal(code, 0, stderr)
      const { fates } = JSON.parse(stdout) as { readonly fates: Readonly<Record<string, number>> }
      assert.deepEqual(
        Object.keys(fates).filter((fate) => fates[fate] !== 0),
        ['accepted'],
        'nothing is late',
      )
      assert.deepEqual(await groups(join(folder, output)), expected)
    }
  })
})

/** Every partition has events of the same three hours, and one that closes all of them. Returns what has to come out, sorted. */
async function fill(log: KafkaLog, topic: string): Promise<string[]> {
  const counts = new Map<string, number>()
  for (const [partition, stepMs] of STEPS_MS.entries()) {
    const times = Array.from({ length: SPAN_MS / stepMs }, (_, index) => START_MS + index * stepMs)
    let builder = new RecordBatchBuilder()
    for (const [index, timeMs] of [...times, START_MS + SPAN_MS + MS_PER_HOUR].entries()) {
      const page = `/page/${(index + partition) % PAGES}`
      const text = JSON.stringify({ event_time: new Date(timeMs).toISOString(), page_url: page })
      builder.add(null, encodeText(text), Date.now())
      const key = `${new Date(timeMs - (timeMs % MS_PER_MINUTE)).toISOString()} ${page}`
      if (index < times.length) counts.set(key, (counts.get(key) ?? 0) + 1)
      if (builder.recordCount < ROWS_PER_BATCH && index < times.length) continue
      await log.append(topic, partition, builder.finish())
      builder = new RecordBatchBuilder()
    }
  }
  return [...counts].map(([key, count]) => `${key} ${count}`).sort()
}

async function groups(folder: string): Promise<string[]> {
  const found: string[] = []
  for (const { files } of await readOutputLog(folder)) {
    for (const { path } of files) {
      for (const line of (await readFile(join(folder, path), 'utf8')).trimEnd().split('\n')) {
        const row = JSON.parse(line) as Record<string, string | number>
        found.push(`${new Date(row['window_start'] as string).toISOString()} ${row['page_url']} ${row['events']}`)
      }
    }
  }
  return found.sort()
}

function pipelineText(topic: string, output: string): string {
  return `
import { count, defineSchema, jsonLines, logSource, pipeline, stream, text, timestamp, tumbling } from 'millrace'
const schema = defineSchema({ event_time: timestamp({ required: true }), page_url: text() })
const pages = stream(logSource('${topic}'), schema)
  .withWatermark('event_time', '1s')
  .groupBy('page_url')
  .window(tumbling('1m'))
  .aggregate({ events: count() })
export default pipeline('${topic}').query('pages', pages, [jsonLines('${output}')])
`
}
