import { formatTime } from '../base/time.ts'
import type { Job } from '../job/job.ts'
import type { JobStatus, QueryView } from '../job/status.ts'
import type { LearnerReport } from '../ml/learner.ts'
import { reportText } from '../ml/report-text.ts'
import { say } from './output.ts'

const INTERVAL_MS = 1_000

/** Says on stderr how a run gets on: what its start found, then a line per epoch with rows, at most one a second. */
export function reportProgress(job: Job): void {
  let shownRows = 0
  let shownMs = Number.NEGATIVE_INFINITY
  let recoveryShown = false
  job.subscribe(() => {
    const nowMs = performance.now()
    if (nowMs - shownMs < INTERVAL_MS) return
    const status = job.status()
    if (status.recovery !== null && !recoveryShown) say(status.recovery)
    recoveryShown ||= status.recovery !== null
    if (status.state !== 'running' || status.rowsRead === shownRows) return
    shownRows = status.rowsRead
    shownMs = nowMs
    say(progressLine(status))
  })
}

/** Says on stderr when the run has to wait, for a full disk or a server that is away, and when it goes on: once for each trouble. */
export function reportTrouble(job: Pick<Job, 'status' | 'subscribe'>, tell: (text: string) => void = say): void {
  let told = new Map<string, string>()
  job.subscribe(() => {
    const { state, error, sinks } = job.status()
    if (state === 'failed' || state === 'finished' || state === 'stopped') return
    const now = new Map<string, string>()
    for (const { name, lastError } of sinks) if (lastError !== null) now.set(`the sink ${name}`, lastError)
    if (error !== null) now.set('the job', error.message)
    for (const [who, why] of now) if (!told.has(who)) tell(`${who} waits and tries again: ${why}`)
    for (const who of told.keys()) if (!now.has(who)) tell(`${who} goes on`)
    told = now
  })
}

/** Says on stderr how models stand: a block per epoch in which one has learned, at most one a second, and the last one at the end. (A5, A23) */
export function reportModels(job: Job): void {
  const shown = new Map<string, LearnerReport>()
  let shownMs = Number.NEGATIVE_INFINITY
  job.subscribe(() => {
    const status = job.status()
    const ended = status.state === 'finished' || status.state === 'stopped'
    if (!ended && performance.now() - shownMs < INTERVAL_MS) return
    for (const model of status.models) {
      // What a process that goes on has from the one before was shown by that one.
      if (!model.report || model.report.outcomes === 0 || shown.get(model.name) === model.report) continue
      shown.set(model.name, model.report)
      shownMs = performance.now()
      say(reportText(status.epoch, model).trimEnd())
    }
  })
}

/** The line of an epoch. As long as no window has closed it says where the watermark has to come to for the first result. (B38) */
export function progressLine({
  epoch,
  rowsRead,
  eventsPerSecond,
  fates,
  watermarks,
  queries,
}: Pick<JobStatus, 'epoch' | 'rowsRead' | 'eventsPerSecond' | 'fates' | 'watermarks' | 'queries'>): string {
  const number = (value: number): string => Math.round(value).toLocaleString('en-US')
  const refused = rowsRead - fates.accepted - fates.filtered
  const watermarkMs = watermarks[0]?.watermarkMs ?? null
  const firstMs = firstClosingMs(queries)
  return [
    `epoch ${number(epoch)}`,
    `${number(rowsRead)} events`,
    `${number(eventsPerSecond)} events/s`,
    ...(watermarkMs === null ? [] : [`watermark ${formatTime(watermarkMs)}`]),
    ...(firstMs === undefined || firstMs <= (watermarkMs ?? Number.NEGATIVE_INFINITY)
      ? []
      : [`first window closes when the watermark passes ${formatTime(firstMs)}`]),
    ...(refused === 0 ? [] : [`${number(refused)} not accepted`]),
  ].join('  ')
}

/** Where the watermark closes the first window, while there are open ones and none has closed. */
function firstClosingMs(queries: readonly QueryView[]): number | undefined {
  const windowed = queries.filter(({ openWindows }) => openWindows.length > 0)
  if (windowed.length === 0 || windowed.some(({ rowsEmitted }) => rowsEmitted > 0)) return undefined
  return Math.min(
    ...windowed.flatMap(({ openWindows, closesAfterMs }) => openWindows.map(({ endMs }) => endMs + closesAfterMs)),
  )
}
