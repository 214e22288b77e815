import type { JobStatus } from '../../src/server/api.ts'
import { formatAge, formatTime } from './format.ts'

const PACE_MIN = 0.02

/** The window that closes next: the open one that ends first. */
export interface NextClosing {
  readonly query: string
  /** Where the watermark has to be. */
  readonly endMs: number
  /** Until the watermark gets there at its present pace, ms; null when it stands still. */
  readonly inMs: number | null
}

/** What closes next among the given queries. A pace that is not known yet is taken for that of a live stream. */
export function nextClosing(job: JobStatus, queryNames: readonly string[], pace: number | null): NextClosing | null {
  const ends = job.queries
    .filter(({ name }) => queryNames.includes(name))
    .flatMap(({ name, openWindows, closesAfterMs }) =>
      openWindows.map(({ endMs }) => ({ query: name, endMs: endMs + closesAfterMs })),
    )
    .sort((left, right) => left.endMs - right.endMs)
  const [first] = ends
  if (!first) return null
  const watermarkMs = job.watermarks[0]?.watermarkMs ?? null
  const missingMs = watermarkMs === null ? null : Math.max(0, first.endMs - watermarkMs)
  const moves = (pace ?? 1) >= PACE_MIN
  return { ...first, inMs: missingMs !== null && moves ? missingMs / (pace ?? 1) : null }
}

/** "when the watermark passes 10:05:00, in about 8 s" */
export function describeClosing({ endMs, inMs }: NextClosing): string {
  const when = `when the watermark passes ${formatTime(endMs)}`
  if (inMs === null) return `${when}; it stands still`
  return inMs < 1_500 ? `${when}, any moment now` : `${when}, in about ${formatAge(inMs + 500)}`
}
