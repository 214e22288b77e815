import type { VNode } from 'preact'
import type { JobStatus, QueryView } from '../../src/server/api.ts'
import { type AxisScale, axisScale, positionOf, WATERMARK_POSITION } from './axis-scale.ts'
import { isActive } from './feed.ts'
import { formatCount, formatDate, formatSpan, formatTime, formatWindow } from './format.ts'
import { isWindowed } from './selection.ts'
import './time-axis.css'

const LANES_MAX = 4
const TICKS_PX = 26
const LANE_PX = 36
const PARTITIONS_PX = 42
const WINDOW_MS_DEFAULT = 10_000
/** Labels nearer than this to an edge, as a share of the width, would be cut. */
const EDGE = 0.025

interface Lane {
  readonly name: string
  readonly bars: readonly Bar[]
}

interface Bar {
  readonly startMs: number
  readonly endMs: number
  readonly groups: number
  readonly closed: boolean
}

/** The windows of each query as bars, the watermark as a line, the newest event of each partition as a mark. */
export function TimeAxis({ job }: { readonly job: JobStatus }): VNode {
  const watermark = job.watermarks[0]
  const frontMs = watermark?.maxEventTimeMs ?? null
  const lanes = job.queries.filter(isWindowed).map(laneOf)
  const minHeight = `${TICKS_PX + LANE_PX * Math.min(lanes.length, LANES_MAX) + PARTITIONS_PX}px`
  if (!watermark || frontMs === null) {
    return (
      <p class="axis-empty" style={{ minHeight }}>
        The axis begins with the first event.
      </p>
    )
  }
  const bars = lanes.flatMap((lane) => lane.bars)
  const windowMs = Math.min(...bars.map(({ startMs, endMs }) => endMs - startMs))
  // A watermark may be at no time: before all partitions have given an event, and behind the end of the input.
  const ended = watermark.watermarkMs === null && !isActive(job)
  const watermarkMs = ended ? frontMs : watermark.watermarkMs
  const scale = axisScale(
    watermarkMs ?? frontMs - watermark.delayMs,
    frontMs,
    Number.isFinite(windowMs) ? windowMs : WINDOW_MS_DEFAULT,
  )
  const { tickMs } = scale
  return (
    <div style={{ minHeight }}>
      <div class="axis-plot" aria-hidden="true">
        {watermarkMs !== null && <div class="axis-complete" style={{ width: percent(WATERMARK_POSITION) }} />}
        {scale.ticks.map((timeMs) => (
          <span
            key={timeMs}
            class={`tick ${(timeMs / tickMs) % 2 === 0 ? '' : 'tick-minor'}`}
            style={{ left: percent(positionOf(scale, timeMs)) }}
            data-label={atEdge(positionOf(scale, timeMs)) ? '' : tickLabel(timeMs, tickMs)}
          />
        ))}
        {lanes.slice(0, LANES_MAX).map((lane) => (
          <LaneBars key={lane.name} lane={lane} scale={scale} />
        ))}
        <PartitionMarks job={job} scale={scale} heldBy={watermark.heldByPartition} />
        {watermarkMs !== null && (
          <div class="watermark" style={{ left: percent(WATERMARK_POSITION) }}>
            <span class="watermark-label">{ended ? 'end of the input' : 'watermark'}</span>
          </div>
        )}
      </div>
      {lanes.length > LANES_MAX && <p class="muted">and {lanes.length - LANES_MAX} more queries</p>}
      <OpenWindowsTable lanes={lanes} />
    </div>
  )
}

function LaneBars({ lane, scale }: { readonly lane: Lane; readonly scale: AxisScale }): VNode {
  return (
    <div class="lane">
      <span class="lane-name">{lane.name}</span>
      <div class="lane-bars">
        {lane.bars.map((bar) => {
          const from = Math.max(-0.02, positionOf(scale, bar.startMs))
          const to = Math.min(1, positionOf(scale, bar.endMs))
          if (to <= 0 || from >= 1) return null
          return (
            <div
              key={bar.startMs}
              class="bar"
              style={{ left: percent(from), width: percent(to - from) }}
              title={`${formatWindow(bar.startMs, bar.endMs)}: ${formatCount(bar.groups)} groups, ${bar.closed ? 'closed' : 'open'}`}
            >
              <span class={bar.closed ? 'bar-closed' : 'bar-open'}>{to > EDGE && formatCount(bar.groups)}</span>
            </div>
          )
        })}
      </div>
    </div>
  )
}

interface PartitionMarksProps {
  readonly job: JobStatus
  readonly scale: AxisScale
  readonly heldBy: number | null
}

/** Marks at the edge stand for times beyond it. */
function PartitionMarks({ job, scale, heldBy }: PartitionMarksProps): VNode {
  const holder = heldBy === null ? undefined : job.partitions[heldBy]
  const delayMs = job.watermarks[0]?.delayMs ?? 0
  return (
    <div class="lane lane-partitions">
      <span class="lane-name">newest event of each partition</span>
      <div class="lane-marks">
        {holder?.maxEventTimeMs != null && delayMs > 0 && (
          <div
            class="delay"
            style={{
              left: percent(WATERMARK_POSITION),
              width: percent(Math.min(1, positionOf(scale, holder.maxEventTimeMs)) - WATERMARK_POSITION),
            }}
          >
            <span>{formatSpan(delayMs)} delay</span>
          </div>
        )}
        {job.partitions.map(({ id, maxEventTimeMs, idleSinceMs }, index) => {
          if (maxEventTimeMs === null) return null
          const kind = index === heldBy ? 'mark-holder' : idleSinceMs === null ? '' : 'mark-idle'
          return (
            <div
              key={id}
              class={`mark ${kind}`}
              style={{ left: `clamp(7px, ${percent(positionOf(scale, maxEventTimeMs))}, calc(100% - 7px))` }}
              title={`${id}: ${formatTime(maxEventTimeMs, 'tenth')}${idleSinceMs === null ? '' : ', idle'}`}
            />
          )
        })}
      </div>
    </div>
  )
}

/** The same for those who do not see the picture. */
function OpenWindowsTable({ lanes }: { readonly lanes: readonly Lane[] }): VNode {
  return (
    <table class="visually-hidden">
      <caption>Open windows</caption>
      <thead>
        <tr>
          <th scope="col">Query</th>
          <th scope="col">Window</th>
          <th scope="col">Groups</th>
        </tr>
      </thead>
      <tbody>
        {lanes.flatMap(({ name, bars }) =>
          bars
            .filter(({ closed }) => !closed)
            .map(({ startMs, endMs, groups }) => (
              <tr key={`${name} ${startMs}`}>
                <td>{name}</td>
                <td>{formatWindow(startMs, endMs)}</td>
                <td>{groups}</td>
              </tr>
            )),
        )}
      </tbody>
    </table>
  )
}

function atEdge(position: number): boolean {
  return position < EDGE || position > 1 - EDGE
}

function tickLabel(timeMs: number, tickMs: number): string {
  if (timeMs % 86_400_000 === 0 && tickMs >= 3_600_000) return formatDate(timeMs)
  return formatTime(timeMs, tickMs < 60_000 ? 'second' : 'minute')
}

function laneOf({ name, openWindows, windows }: QueryView): Lane {
  const open = new Set(openWindows.map(({ startMs }) => startMs))
  const closed = windows.filter((window) => window.closed && !open.has(window.startMs)).map(barOf(true))
  const bars = [...closed, ...openWindows.map(barOf(false))]
  return { name, bars: bars.sort((left, right) => left.startMs - right.startMs) }
}

function barOf(closed: boolean): (window: Omit<Bar, 'closed'>) => Bar {
  return ({ startMs, endMs, groups }) => ({ startMs, endMs, groups, closed })
}

function percent(share: number): string {
  return `${(100 * share).toFixed(3)}%`
}
