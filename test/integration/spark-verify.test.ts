import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { openEmbeddedLog } from '../../src/log/embedded-log.ts'
import { readValues } from '../support/generated-topic.ts'
import { succeed } from '../support/preset-run.ts'
import { requirement } from '../support/requirement.ts'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'
import { testSpark } from '../support/spark.ts'
import { assertEqualOnSpark, PRESETS_ON_SPARK, type PresetOnSpark, troubledTraffic } from '../support/spark-presets.ts'

const FULL = process.env['MILLRACE_TEST_SCALE'] === 'full'
const EVENTS = FULL ? 1_000_000 : 8_000
// Rows are late by the watermark of the micro-batch before: only from the third on.
const CUTS = FULL ? 12 : 3

describe('Spark and Millrace give the same rows', requirement('spark'), () => {
  for (const one of PRESETS_ON_SPARK) {
    test(`of the preset ${one.preset}, from files with disorder, late and broken rows`, async (t) => {
      const input = await generatedFiles(t, one)
      const remote = await testSpark()
      const work = join(input.folder, 'work')
      const sizes = ['--cuts', String(CUTS), '--shuffle-partitions', FULL ? '2' : '1']
      const args = [
        'spark',
        'verify',
        '--preset',
        one.preset,
        '--input',
        input.files,
        '--remote',
        remote,
        '--work',
        work,
      ]
      const ended = await runMillrace([...args, ...sizes, '--json'], { cwd: input.folder })
      t.diagnostic(assertEqualOnSpark(one, ended, CUTS))
    })
  }
})

/** The records of a generated topic as files, one for each partition. */
async function generatedFiles(t: TestContext, one: PresetOnSpark): Promise<{ folder: string; files: string }> {
  const folder = await temporaryFolder(t)
  await succeed(['generate', ...troubledTraffic(one, EVENTS), '--topic', 'generated'], folder)
  const log = await openEmbeddedLog(join(folder, 'home', 'log'), { mode: 'read' })
  try {
    await mkdir(join(folder, 'events'))
    for (const [partition, values] of (await readValues(log, 'generated')).entries()) {
      const lineFeed = Buffer.from('\n')
      const bytes = Buffer.concat(values.flatMap((value) => [value, lineFeed]))
      await writeFile(join(folder, 'events', `${partition}.ndjson`), bytes)
    }
  } finally {
    await log.close()
  }
  return { folder, files: join(folder, 'events', '*.ndjson') }
}
