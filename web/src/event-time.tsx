import type { VNode } from 'preact'
import type { JobStatus, WatermarkView } from '../../src/server/api.ts'
import { describeClosing, nextClosing } from './closing.ts'
import { isActive, nowMs } from './feed.ts'
import { formatAge, formatTime, withShortTimes } from './format.ts'
import { history, watermarkPace } from './history.ts'
import { TimeAxis } from './time-axis.tsx'
import './event-time.css'

/** Partitions that go at the same speed hold the watermark in turns; only who keeps holding it is worth a number. */
const HELD_MS_MIN = 3_000

/** Where the job stands in event time, what holds it there, and what happens next. */
export function EventTime({ job }: { readonly job: JobStatus }): VNode {
  return (
    <section class="event-time" aria-labelledby="event-time">
      <div class="section-head">
        <h2 id="event-time">
          Event time <small>UTC</small>
        </h2>
        <ul class="legend" aria-hidden="true">
          <li>open window, with its groups</li>
          <li class="legend-closed">closed</li>
          <li class="legend-partition">partition</li>
          <li class="legend-holder">the one that holds the watermark</li>
        </ul>
      </div>
      <TimeAxis job={job} />
      <div class="why">
        {job.watermarks.length === 0 && <p>This pipeline has no watermark: nothing waits for late events.</p>}
        {job.watermarks.map((watermark) => (
          <Why key={watermark.id} watermark={watermark} named={job.watermarks.length > 1} ended={!isActive(job)} />
        ))}
        <Next job={job} />
      </div>
    </section>
  )
}

interface WhyProps {
  readonly watermark: WatermarkView
  readonly named: boolean
  readonly ended: boolean
}

function Why({ watermark, named, ended }: WhyProps): VNode {
  const { id, watermarkMs, why, sinceMs } = watermark
  const heldMs = nowMs.value - sinceMs
  const standing = watermarkMs === null ? (ended ? 'past the end' : 'not set yet') : formatTime(watermarkMs, 'tenth')
  return (
    <p data-test="why">
      <strong>
        {named ? id : 'Watermark'} {standing}
      </strong>
      {' – '}
      <bdi>{withShortTimes(why.replace(/[.]$/, ''))}</bdi>
      {heldMs >= HELD_MS_MIN && <span class="muted"> (for {formatAge(heldMs)})</span>}
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
  if (!next || !isActive(job)) return null
  return (
    <p class="next" data-test="next">
      <strong>Next</strong> {next.query} closes a window {describeClosing(next)}.
    </p>
  )
}
