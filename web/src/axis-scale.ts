/**
 * Event time on a line. The watermark stands at a fixed place and time flows past it to the left:
 *
 *      complete        | watermark     still open     newest event
 *   ───────────────────┼──────────────────────────────┬────────
 *   0                 0.55                                   1
 *
 * The span changes only in steps, so the picture stays calm while the distance between watermark and newest event breathes.
 */
export interface AxisScale {
  readonly startMs: number
  readonly spanMs: number
  readonly tickMs: number
  /** Multiples of `tickMs` at which the axis is labelled. */
  readonly ticks: readonly number[]
}

/** Where the watermark stands, as a share of the width. */
export const WATERMARK_POSITION = 0.55

/** How many of the smallest windows the axis reaches into the future at most; what lies beyond is shown at the edge. */
const REACH_WINDOWS_MAX = 30
const TICKS_MAX = 9

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const STEPS_MS: readonly number[] = [
  ...[1, 2, 5, 10, 15, 20, 30].map((count) => count * SECOND),
  ...[1, 2, 3, 5, 10, 15, 20, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 4, 6, 8, 12].map((count) => count * HOUR),
  ...[1, 2, 4, 7, 14, 28, 56, 112, 365, 730].map((count) => count * DAY),
]

/** The scale around a watermark; `frontMs` is the newest event time, `windowMs` the size of the smallest window. */
export function axisScale(watermarkMs: number, frontMs: number, windowMs: number): AxisScale {
  const reachMs = Math.min(Math.max(frontMs - watermarkMs, 0) + 1.2 * windowMs, REACH_WINDOWS_MAX * windowMs)
  const spanMs = stepAtLeast(Math.max(reachMs / (1 - WATERMARK_POSITION), (2.4 * windowMs) / WATERMARK_POSITION))
  const startMs = watermarkMs - WATERMARK_POSITION * spanMs
  const tickMs = stepAtLeast(spanMs / TICKS_MAX)
  const ticks: number[] = []
  for (let timeMs = Math.ceil(startMs / tickMs) * tickMs; timeMs < startMs + spanMs; timeMs += tickMs)
    ticks.push(timeMs)
  return { startMs, spanMs, tickMs, ticks }
}

/** Place of a time as a share of the width; outside of 0 to 1 it is not in the picture. */
export function positionOf({ startMs, spanMs }: AxisScale, timeMs: number): number {
  return (timeMs - startMs) / spanMs
}

function stepAtLeast(wantedMs: number): number {
  const largestMs = STEPS_MS.at(-1) as number
  return STEPS_MS.find((stepMs) => stepMs >= wantedMs) ?? Math.ceil(wantedMs / largestMs) * largestMs
}
