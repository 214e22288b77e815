import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { emptyStatus, failedStatus, shopStatus } from '../../test/support/shop-status.ts'
import { seriesNames } from '../metrics/family.ts'
import { writeFamilies } from '../metrics/prometheus.ts'
import { MetricsRegistry } from '../metrics/registry.ts'
import { jobMetrics } from './job-metrics.ts'

test('the metrics of a job are those of the golden file', async () => {
  const golden = readFileSync(join(import.meta.dirname, 'job-metrics-golden.txt'), 'utf8')
  assert.equal((await textOf(failedStatus(61_000))).replaceAll('\n\n', '\n'), golden)
})

test('before the first event there are no times, and no zeros that stand for them', async () => {
  const text = await textOf({ ...emptyStatus(), epochs: [] })
  assert.doesNotMatch(text, /^millrace_(watermark|epoch_duration)/m)
  assert.match(text, /^millrace_rows_read_total 0$/m)
})

test('what docs/alerts.md watches is there', async () => {
  const known = jobMetrics(shopStatus(61_000)).flatMap(seriesNames)
  const watched = [...readFileSync('docs/alerts.md', 'utf8').matchAll(/^ +(?:metric|shareOf): (\S+)/gm)]
  assert.ok(watched.length > 8)
  for (const [, name] of watched) assert.ok(known.includes(name ?? ''), name)
})

test('no value of an event becomes a label', async () => {
  const status = shopStatus(61_000)
  const text = await textOf(status)
  const keys = status.queries.flatMap(({ windows }) => windows.flatMap(({ rows }) => rows.flat()))
  for (const key of keys) if (typeof key === 'string') assert.ok(!text.includes(`"${key}"`), key)
})

function textOf(status: Parameters<typeof jobMetrics>[0]): Promise<string> {
  const registry = new MetricsRegistry()
  registry.add(() => jobMetrics(status))
  return writeFamilies(registry.collect())
}
