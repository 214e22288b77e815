import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { installedSpark } from '../../scripts/spark-install.ts'
import { readValues } from '../support/generated-topic.ts'
import { freshTopic, openTestLog, testKafka } from '../support/kafka.ts'
import { succeed } from '../support/preset-run.ts'
import { requirement } from '../support/requirement.ts'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'
import { testSpark } from '../support/spark.ts'
import { assertEqualOnSpark, PRESETS_ON_SPARK, type PresetOnSpark, troubledTraffic } from '../support/spark-presets.ts'

const FULL = process.env['MILLRACE_TEST_SCALE'] === 'full'
const skip =
  requirement('kafka').skip ||
  requirement('spark').skip ||
  (installedSpark()?.kafkaJars.length === 0 && "Spark's connector for Kafka could not be had by Maven") ||
  (!FULL && 'only in the full run: npm run test:full')

const EVENTS = 200_000
const CUTS = 6

describe('Spark and a real Kafka', { skip }, () => {
  for (const one of PRESETS_ON_SPARK) {
    test(`a topic of the preset ${one.preset} gives the same rows on both, with disorder, late and broken rows`, async (t) => {
      const { folder, topic, servers } = await generated(t, one, EVENTS)
      const from = [topic, '--bootstrap-servers', servers, '--from', 'earliest', '--remote', await testSpark()]
      const sizes = ['--cuts', String(CUTS), '--shuffle-partitions', '2', '--work', join(folder, 'work')]
      const args = ['spark', 'verify', '--preset', one.preset, ...from, ...sizes, '--json']
      t.diagnostic(assertEqualOnSpark(one, await runMillrace(args, { cwd: folder }), CUTS))
    })
  }

  test('rows go to a topic, made when it is missing, as they go to files', async (t) => {
    const [activity] = PRESETS_ON_SPARK.filter(({ preset }) => preset === 'user-activity')
    const { folder, topic, servers } = await generated(t, activity as PresetOnSpark, 50_000)
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

async function generated(t: TestContext, one: PresetOnSpark, events: number) {
  const folder = await temporaryFolder(t)
  const topic = freshTopic(one.preset)
  const { bootstrap: servers } = await testKafka()
  await succeed(['generate', ...troubledTraffic(one, events), '--topic', topic, '--bootstrap-servers', servers], folder)
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
