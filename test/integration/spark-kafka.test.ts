import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { installedSpark } from '../../scripts/spark-install.ts'
import { readValues } from '../support/generated-topic.ts'
import { freshTopic, openTestLog, testKafka } from '../support/kafka.ts'
import { succeed } from '../support/preset-run.ts'
import { requirement } from '../support/requirement.ts'
import { temporaryFolder } from '../support/run-millrace.ts'
import { testSpark } from '../support/spark.ts'

const FULL = process.env['MILLRACE_TEST_SCALE'] === 'full'
const skip =
  requirement('kafka').skip ||
  requirement('spark').skip ||
  (installedSpark()?.kafkaJars.length === 0 && "Spark's connector for Kafka could not be had by Maven") ||
  (!FULL && 'only in the full run: npm run test:full')

const EVENTS = 100_000
const TRAFFIC =
  `--preset user-activity --num-events ${EVENTS} --flat-out --start 2022-11-01T00:00:00Z --interval 1 --users 10000
  --user-skew 0 --partitions 3 --late 4% --late-min 20m --late-max 12h --out-of-order 10% --malformed 0.2% --invalid 0.5%`.split(
    /\s+/,
  )

describe('Spark and a real Kafka', { skip }, () => {
  test('a topic gives the same rows on both, late ones included', async (t) => {
    const { folder, topic, servers } = await generated(t)
    const from = [topic, '--bootstrap-servers', servers, '--from', 'earliest', '--remote', await testSpark()]
    const args = [
      'spark',
      'verify',
      '--preset',
      'user-activity',
      ...from,
      '--cuts',
      '5',
      '--work',
      join(folder, 'work'),
    ]
    const verdicts = JSON.parse(await succeed([...args, '--shuffle-partitions', '2', '--json'], folder)) as Verdict[]
    assert.equal(verdicts.length, 3)
    for (const { query, rows, equal, lateRows, batches, first } of verdicts) {
      assert.deepEqual([query, first, equal], [query, undefined, rows])
      assert.ok(
        rows > 500 && lateRows > 0 && batches >= 5,
        `${query}: ${rows} rows, ${lateRows} late, ${batches} batches`,
      )
    }
  })

  test('rows go to a topic, made when it is missing, as they go to files', async (t) => {
    const { folder, topic, servers } = await generated(t)
    const target = freshTopic('pages')
    await writeFile(join(folder, 'pages.ts'), pipelineOf(topic, target))
    const where = ['--bootstrap-servers', servers, '--remote', await testSpark(), '--checkpoint-root', 'checkpoints']
    await succeed(['spark', 'run', 'pages.ts', ...where, '--once', '--shuffle-partitions', '2'], folder)
    const log = await openTestLog(servers)
    t.after(() => log.close())
    const records = (await readValues(log, target)).flat().map((value) => Buffer.from(value).toString())
    const files = (await readdir(join(folder, 'out'))).filter((name) => name.endsWith('.json'))
    const texts = await Promise.all(files.map((name) => readFile(join(folder, 'out', name), 'utf8')))
    const lines = texts.flatMap((text) => text.split('\n').filter((line) => line !== ''))
    assert.ok(lines.length > 500)
    assert.deepEqual(records.map(sorted).sort(), lines.map(sorted).sort())
  })
})

interface Verdict {
  readonly query: string
  readonly rows: number
  readonly equal: number
  readonly batches: number
  readonly lateRows: number
  readonly first?: unknown
}

async function generated(t: Parameters<typeof temporaryFolder>[0]) {
  const folder = await temporaryFolder(t)
  const topic = freshTopic('activity')
  const { bootstrap: servers } = await testKafka()
  await succeed(['generate', ...TRAFFIC, '--topic', topic, '--bootstrap-servers', servers], folder)
  return { folder, topic, servers }
}

function pipelineOf(topic: string, target: string): string {
  return `import { count, jsonLines, kafka, logSource, pipeline, stream, tumbling, userActivity } from 'millrace'
const pages = stream(logSource('${topic}'), userActivity.schema, { rules: userActivity.rules })
  .withWatermark('event_time', '2 minutes')
  .groupBy('page_url')
  .window(tumbling('10 minutes'))
  .aggregate({ views: count() })
export default pipeline('pages').query('pages', pages, [jsonLines('out'), kafka('${target}', { key: 'page_url' })])
`
}

function sorted(json: string): string {
  return JSON.stringify(Object.entries(JSON.parse(json) as object).sort(([left], [right]) => (left < right ? -1 : 1)))
}
