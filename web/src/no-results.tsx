import type { VNode } from 'preact'
import type { JobStatus, QueryView } from '../../src/server/api.ts'
import { describeClosing, nextClosing } from './closing.ts'
import { isActive } from './feed.ts'
import { formatSpan } from './format.ts'
import { history, watermarkPace } from './history.ts'
import { isWindowed } from './selection.ts'

interface NoResultsProps {
  readonly job: JobStatus
  readonly query: QueryView | null
  readonly kind: 'open' | 'closed'
}

/** In place of results: what is missing, and when it comes. */
export function NoResults(props: NoResultsProps): VNode {
  return (
    <p class="empty" data-test="empty">
      {explain(props)}
    </p>
  )
}

function explain({ job, query, kind }: NoResultsProps): string {
  if (!query && job.state === 'running') return 'This pipeline has no queries, so there are no results to show.'
  if (!query) return 'The job is starting.'
  if (job.rowsRead === 0) return kind === 'open' ? nothingRead(job) : whatClosesFirst(job, query)
  if (!isWindowed(query)) return `${query.name} has no windows; its rows go straight to the sinks.`
  if (kind === 'open' && isActive(job)) return `No window of ${query.name} is open. The next accepted event opens one.`
  if (!isActive(job)) return `No window of ${query.name} closed before the end.`
  const next = nextClosing(job, [query.name], watermarkPace(history.value))
  return next ? `First results ${describeClosing(next)}.` : `No window of ${query.name} has closed yet.`
}

function whatClosesFirst({ watermarks }: JobStatus, { windowSizeMs }: QueryView): string {
  const delayMs = watermarks[0]?.delayMs ?? 0
  const first = windowSizeMs === null ? '' : `A window is ${formatSpan(windowSizeMs)} long. `
  return `${first}Results come when events have passed the end of a window${delayMs > 0 ? ` by ${formatSpan(delayMs)}` : ''}.`
}

function nothingRead({ partitions, state }: JobStatus): string {
  if (state === 'finished' || state === 'stopped') return 'The input held no events.'
  const [first] = partitions
  if (!first) return 'The source has no partitions yet. Windows open with the first event.'
  const others = partitions.length - 1
  const where = others === 0 ? first.id : `${first.id} and ${others} other ${others === 1 ? 'partition' : 'partitions'}`
  return `Nothing has arrived in ${where} yet. The first event opens the first window.`
}
