import { formatDuration, MS_PER_DAY } from '../base/time.ts'
import type { PlanProblem } from './plan-problem.ts'

const DURATION_MS_MAX = 366 * MS_PER_DAY

/** The problem with a length of time that is not whole milliseconds from the least one to 366 days. */
export function checkDuration(durationMs: number, minMs: number, what: string, path: string): PlanProblem[] {
  if (Number.isSafeInteger(durationMs) && durationMs >= minMs && durationMs <= DURATION_MS_MAX) return []
  const hint = `use whole milliseconds from ${formatDuration(minMs)} to ${formatDuration(DURATION_MS_MAX)}`
  return [{ path, message: `${what} is ${durationMs} ms`, hint }]
}
