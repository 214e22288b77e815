import { effect, type Signal, signal } from '@preact/signals'
import type { JobStatus } from '../../src/server/api.ts'
import { newestStatus } from './feed.ts'

/** What the chart shows, ms. */
export const HISTORY_MS = 120_000

const SPACING_MS = 450
const GAP_MS = 5_000
const PACE_MS = 15_000
const PACE_MS_MIN = 2_000

/** One observation of the job; a null rate is a gap, in which nobody looked. */
export interface Sample {
  readonly timeMs: number
  readonly rate: number | null
  readonly watermarkMs: number | null
}

/** What this page has seen of the last minutes, oldest first. The server keeps no history. */
export const history: Signal<readonly Sample[]> = signal([])

/** Writes down what is seen from now on. */
export function recordHistory(): void {
  effect(() => {
    const job = newestStatus.value
    if (job) history.value = appended(history.peek(), job)
  })
}

/** The history with one more state; states that follow closely are left out, and so is a job that came before this one. */
export function appended(samples: readonly Sample[], job: JobStatus): readonly Sample[] {
  const known = samples.filter(({ timeMs }) => timeMs >= job.startedAtMs && timeMs > job.nowMs - HISTORY_MS - GAP_MS)
  const last = known.at(-1)
  if (last && job.nowMs - last.timeMs < SPACING_MS) return samples
  const watermarkMs = job.watermarks[0]?.watermarkMs ?? null
  const sample: Sample = { timeMs: job.nowMs, rate: job.eventsPerSecond, watermarkMs }
  if (!last || job.nowMs - last.timeMs < GAP_MS) return [...known, sample]
  return [...known, { timeMs: last.timeMs + SPACING_MS, rate: null, watermarkMs: null }, sample]
}

/** How fast the watermark moves, in seconds of event time per second; null as long as too little has been seen. */
export function watermarkPace(samples: readonly Sample[]): number | null {
  const last = samples.at(-1)
  if (!last || last.watermarkMs === null) return null
  const first = samples.find(({ timeMs, watermarkMs }) => watermarkMs !== null && timeMs >= last.timeMs - PACE_MS)
  if (!first || first.watermarkMs === null || last.timeMs - first.timeMs < PACE_MS_MIN) return null
  return (last.watermarkMs - first.watermarkMs) / (last.timeMs - first.timeMs)
}
