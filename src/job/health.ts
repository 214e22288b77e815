import type { JobStatus } from './status.ts'

/** What a job waits for, such as a full disk or a store that is away: nothing is lost meanwhile, and nothing goes on. Null while it works. */
export function waitsFor({ state, error, sinks }: Pick<JobStatus, 'state' | 'error' | 'sinks'>): string | null {
  if (state === 'failed') return null
  if (error !== null) return error.message
  const waiting = sinks.find(({ nextTryMs }) => nextTryMs !== null)
  return waiting ? `${waiting.name}: ${waiting.lastError}` : null
}

/** Whether a job does what it is there for: it runs and waits for nothing, or it has done all. */
export function ready(status: Pick<JobStatus, 'state' | 'error' | 'sinks'>): boolean {
  return status.state === 'finished' || (status.state === 'running' && waitsFor(status) === null)
}
