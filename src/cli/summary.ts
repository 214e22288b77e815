import { formatTime } from '../base/time.ts'
import type { Job } from '../job/job.ts'
import type { JobStatus } from '../job/status.ts'
import { type Verdict, verdictOf } from '../ml/metrics/verdict.ts'
import type { ModelSummary } from '../ml/model-summary.ts'
import type { Fate } from '../plan/fate.ts'

/** Sinks whose rows are not in files of their own. */
const OF_RECORDS: readonly string[] = ['kafka', 'redis', 'latest-file']

/** What a bounded run prints at its end with `--json`; part of the public interface. Counts are since the checkpoint was made. */
export interface Summary {
  readonly pipeline: string
  readonly epochs: number
  readonly rowsRead: number
  /** Of `rowsRead`, those of earlier runs. */
  readonly rowsBefore: number
  readonly fates: Readonly<Record<Fate, number>>
  readonly watermark: string | null
  readonly queries: Readonly<Record<string, { readonly rows: number }>>
  readonly sinks: Readonly<Record<string, { readonly rows: number; readonly files: number; readonly bytes: number }>>
  /** Models by name, as plain numbers; those that have learned nothing yet are absent. */
  readonly models: Readonly<Record<string, SummaryModel>>
  readonly durationMs: number
  readonly eventsPerSecond: number
  /** From process start to the first accepted event that a reader of the event stream saw counted; null when nobody read it. */
  readonly firstResultMs: number | null
}

/** How a model stood at the end. */
export interface SummaryModel {
  readonly version: number
  readonly skill: number
  readonly verdict: Verdict
  readonly auc: number | null
  readonly logLoss: number
  readonly baseLogLoss: number
  readonly intercept: number
  /** The largest ones. */
  readonly weights: Readonly<Record<string, number>>
}

/** The summary of a run; `rowsBefore` were read by earlier runs of the same checkpoint. */
export function summaryOf(
  status: JobStatus,
  rowsBefore: number,
  durationMs: number,
  firstResultMs: number | null,
): Summary {
  const watermarkMs = status.watermarks[0]?.watermarkMs ?? null
  return {
    pipeline: status.pipeline,
    epochs: status.epoch,
    rowsRead: status.rowsRead,
    rowsBefore,
    fates: status.fates,
    watermark: watermarkMs === null ? null : formatTime(watermarkMs),
    queries: Object.fromEntries(status.queries.map(({ name, rowsEmitted }) => [name, { rows: rowsEmitted }])),
    sinks: Object.fromEntries(status.sinks.map(({ name, rows, files, bytes }) => [name, { rows, files, bytes }])),
    models: Object.fromEntries(status.models.flatMap((model) => modelOf(model))),
    durationMs: Math.round(durationMs),
    eventsPerSecond: Math.round((status.rowsRead - rowsBefore) / Math.max(0.001, durationMs / 1_000)),
    firstResultMs: firstResultMs === null ? null : Math.round(firstResultMs),
  }
}

function modelOf({ name, version, report, intercept, weights }: ModelSummary): [string, SummaryModel][] {
  if (!report) return []
  const { skill, auc, logLoss, baseLogLoss } = report.metrics
  const named = Object.fromEntries(weights.map((one) => [one.name, one.weight]))
  return [
    [
      name,
      { version, skill, verdict: verdictOf(report.metrics), auc, logLoss, baseLogLoss, intercept, weights: named },
    ],
  ]
}

/** Gives, from when the job runs on, how many rows earlier runs of its checkpoint had read. */
export function rowsAtStart(job: Job): () => number {
  let rows: number | undefined
  const unsubscribe = job.subscribe(() => {
    const status = job.status()
    if (status.state === 'starting' || status.state === 'recovering') return
    rows ??= status.rowsRead
    unsubscribe()
  })
  return () => rows ?? 0
}

/** The same for people. */
export function summaryText(summary: Summary, status: JobStatus, deadLetters: string): string {
  const number = (value: number): string => value.toLocaleString('en-US')
  const fates = Object.entries(summary.fates)
    .filter(([, rows]) => rows > 0)
    .map(([fate, rows]) => `${number(rows)} ${fate}`)
  const lines = [
    `${summary.pipeline}: ${number(summary.rowsRead - summary.rowsBefore)} events in ${(summary.durationMs / 1_000).toFixed(1)} s, ${number(summary.eventsPerSecond)} events/s`,
    ...(summary.rowsBefore > 0 ? [`  in all   ${number(summary.rowsRead)} events since the checkpoint was made`] : []),
    `  fates    ${fates.join(', ') || 'none'}`,
    ...status.reasons
      .filter(({ fate }) => fate !== 'filtered')
      .slice(0, 5)
      .map(({ fate, rule, rows }) => `           ${number(rows)} ${fate}${rule ? `: ${rule}` : ''}`),
    ...Object.entries(summary.queries).map(([name, { rows }]) => `  query    ${name}: ${counted(rows, 'row')}`),
    ...status.sinks
      .filter(({ kind }) => kind !== 'console' && kind !== 'memory' && kind !== 'view')
      .map(({ name, kind, rows, files, target }) => {
        return `  sink     ${name}: ${written(kind, rows, files)} in ${target}`
      }),
  ]
  const open = status.queries.reduce((sum, query) => sum + query.openWindows.length, 0)
  if (open > 0) lines.push(`  open     ${counted(open, 'window')}, closed by the watermark once the run goes on`)
  const refused = summary.rowsRead - summary.fates.accepted - summary.fates.filtered
  if (refused > 0) lines.push(`  dead letters in ${deadLetters}`)
  return [...lines, ...adviceOn(summary)].join('\n')
}

/** When nothing could be used, it is most often a file of another kind. */
function adviceOn({ rowsRead, fates: { malformed, invalid } }: Summary): string[] {
  if (rowsRead === 0) return ['  note     there was nothing to read']
  if (malformed + invalid < rowsRead) return []
  return malformed > invalid
    ? ["  note     no event could be read: each line has to be one JSON object; jq -c '.[]' makes lines of an array"]
    : ['  note     no event has the columns that are wanted: is it of another --preset, or of another pipeline?']
}

/** What there is to be seen of a sink: files, unless it has none. */
function written(kind: string, rows: number, files: number): string {
  if (OF_RECORDS.includes(kind)) return counted(rows, 'record')
  return kind === 'postgres' || kind === 'duckdb' ? counted(rows, 'row') : counted(files, 'file')
}

/** `1 row`, `2,000 rows`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`
}
