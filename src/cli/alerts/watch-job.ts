import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { AlertRule, AlertSample } from '../../alerts/alert-rule.ts'
import { type AlertChange, AlertWatch } from '../../alerts/alert-watch.ts'
import { MetricSamples } from '../../alerts/metric-samples.ts'
import { MillraceError } from '../../base/error.ts'
import type { Job } from '../../job/job.ts'
import type { JobStatus } from '../../job/status.ts'
import { seriesNames } from '../../metrics/family.ts'
import { jobMetrics } from '../../server/job-metrics.ts'
import type { Home } from '../home.ts'
import { tell } from './tell.ts'

const INTERVAL_MS = 1_000

/** Runs a job, watched by the rules of a file; the history is in the home. Whatever is wrong with the file, the job is closed. */
export async function withAlerts(
  job: Job,
  file: string,
  home: Home,
  run: () => Promise<JobStatus>,
): Promise<JobStatus> {
  let alerts: RunningAlerts
  try {
    const { readAlertRules } = await import('./alert-file.ts')
    const rules = await readAlertRules(file)
    alerts = await watchJob(job, rules, join(home.path, 'alerts', `${job.status().pipeline}.ndjson`))
  } catch (error) {
    await job.close()
    throw error
  }
  return run().finally(() => alerts.close())
}

/** Alerts of a job, while it runs. */
interface RunningAlerts {
  /** Looks a last time, and waits until everybody is told. */
  close(): Promise<void>
}

/**
 * Watches a job by rules, once a second. What begins and ends is added to `history`, a line of JSON each, from which the next start knows what
 * is firing. Throws `invalid-option` when a rule is about something that the job has not.
 */
async function watchJob(job: Job, rules: readonly AlertRule[], history: string): Promise<RunningAlerts> {
  const first = job.status()
  for (const rule of rules) assertKnown(rule, first)
  const firing = firingIn(await readFile(history, 'utf8').catch(() => ''))
  const watched = rules.map((rule) => ({
    rule,
    watch: new AlertWatch(rule, firing.get(rule.name)),
    metric: rule.of.kind === 'metric' ? new MetricSamples(rule.of) : undefined,
  }))
  let told: Promise<unknown> = mkdir(dirname(history), { recursive: true })
  const look = (): void => {
    const status = job.status()
    const families = jobMetrics(status)
    for (const { rule, watch, metric } of watched) {
      const samples = metric ? metric.read(status.nowMs, families) : columnSamples(rule, status)
      for (const change of watch.observe(status.nowMs, samples)) {
        told = told.then(() => report(rule, change, status.pipeline, history))
      }
    }
  }
  const timer = setInterval(look, INTERVAL_MS)
  return {
    async close() {
      clearInterval(timer)
      look()
      await told
    },
  }
}

async function report(rule: AlertRule, change: AlertChange, pipeline: string, history: string): Promise<void> {
  await appendFile(
    history,
    `${JSON.stringify({ ...change, atMs: undefined, at: new Date(change.atMs).toISOString() })}\n`,
  )
  await Promise.all(rule.notify.map((target) => tell(target, change, pipeline)))
}

/** Each group of the query's newest closed window, by its key. */
function columnSamples({ of }: AlertRule, { queries }: JobStatus): AlertSample[] {
  if (of.kind !== 'column') return []
  const query = queries.find(({ name }) => name === of.query)
  const columns = query?.columns.filter(({ role }) => role !== 'window') ?? []
  const at = columns.findIndex(({ name }) => name === of.column)
  const rows = query?.windows.find(({ closed }) => closed)?.rows ?? []
  return rows.flatMap((row) => {
    const value = Number(row[at] ?? Number.NaN)
    const series = columns.flatMap(({ role, name }, index) => (role === 'key' ? [`${name}=${row[index]}`] : []))
    return Number.isFinite(value) ? [{ series: series.join(' '), value }] : []
  })
}

function assertKnown({ name, of }: AlertRule, status: JobStatus): void {
  if (of.kind === 'metric') {
    const known = jobMetrics(status).flatMap(seriesNames)
    for (const metric of [of.metric, of.shareOf]) {
      if (metric === undefined || known.includes(metric)) continue
      throw new MillraceError('invalid-option', `the alert "${name}" is about "${metric}", which no job has`, {
        hint: `use one of ${known.join(', ')}`,
      })
    }
    return
  }
  const query = status.queries.find((one) => one.name === of.query)
  const values = query?.columns.filter(({ role }) => role === 'value').map((column) => column.name) ?? []
  if (values.includes(of.column)) return
  throw new MillraceError(
    'invalid-option',
    `the alert "${name}" is about ${of.query}.${of.column}, which is not there`,
    {
      hint: query
        ? `its values are ${values.join(', ')}`
        : `queries are ${status.queries.map((one) => one.name).join(', ')}`,
    },
  )
}

/** Series by rule whose last line says that they fire. A torn last line, or one of somebody else, says nothing. */
function firingIn(text: string): Map<string, Set<string>> {
  const firing = new Map<string, Set<string>>()
  for (const line of text.split('\n')) {
    try {
      const { rule, series, state } = JSON.parse(line) as Partial<AlertChange>
      if (rule === undefined || series === undefined) continue
      const set = firing.get(rule) ?? new Set()
      if (state === 'firing') set.add(series)
      else set.delete(series)
      firing.set(rule, set)
    } catch {}
  }
  return firing
}
