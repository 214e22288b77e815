import type { VNode } from 'preact'
import type { JobStatus, WatermarkView } from '../../src/server/api.ts'
import { describeClosing, nextClosing } from './closing.ts'
import { nowMs } from './feed.ts'
import { formatAge, formatSpan, formatTime } from './format.ts'
import { history, watermarkPace } from './history.ts'
import { TimeAxis } from './time-axis.tsx'
import './event-time.css'

/** Where the job stands in event time, what holds it there, and what happens next. */
export function EventTime({ job }: { readonly job: JobStatus }): VNode {
  return (
    <section class="event-time" aria-labelledby="event-time">
      <h2 id="event-time">
        Event time <small>UTC</small>
      </h2>
      <TimeAxis job={job} />
      <div class="why">
        {job.watermarks.length === 0 && <p>This pipeline has no watermark: nothing waits for late events.</p>}
        {job.watermarks.map((watermark) => (
          <Why key={watermark.id} watermark={watermark} named={job.watermarks.length > 1} />
        ))}
        <Next job={job} />
      </div>
    </section>
  )
}

function Why({ watermark, named }: { readonly watermark: WatermarkView; readonly named: boolean }): VNode {
  const { id, watermarkMs, delayMs, why, sinceMs } = watermark
  return (
    <p data-test="why">
      <strong>
        {named ? id : 'Watermark'} {watermarkMs === null ? 'not set yet' : formatTime(watermarkMs, 'tenth')}
      </strong>{' '}
      <bdi>{asSentence(why)}</bdi>{' '}
      <span class="muted">
        So for {formatAge(nowMs.value - sinceMs)}. It waits {formatSpan(delayMs)} for events out of order.
      </span>
    </p>
  )
}

function Next({ job }: { readonly job: JobStatus }): VNode | null {
  const pace = watermarkPace(history.value)
  const next = nextClosing(
    job,
    job.queries.map(({ name }) => name),
    pace,
  )
  if (!next) return null
  return (
    <p class="next" data-test="next">
      <strong>Next</strong> {next.query} closes a window {describeClosing(next)}.
    </p>
  )
}

function asSentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
}
