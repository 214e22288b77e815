import { effect, type Signal, signal } from '@preact/signals'
import type { JobStatus } from '../../src/server/api.ts'
import { newestStatus } from './feed.ts'

const SAMPLES_MAX = 240

/** How good a model was at one of its versions. */
export interface LossSample {
  readonly version: number
  readonly loss: number
  readonly baseLoss: number
}

/** What this page has seen of each model, by name, oldest first. The server keeps no history. */
export const lossHistory: Signal<ReadonlyMap<string, readonly LossSample[]>> = signal(new Map())

/** Writes down what is seen from now on. */
export function recordModels(): void {
  effect(() => {
    const job = newestStatus.value
    if (job && job.models.length > 0) lossHistory.value = appendedLosses(lossHistory.peek(), job)
  })
}

/** The history with the models' newest versions; a model that has begun anew has a new history. */
export function appendedLosses(
  known: ReadonlyMap<string, readonly LossSample[]>,
  job: Pick<JobStatus, 'models'>,
): ReadonlyMap<string, readonly LossSample[]> {
  const next = new Map(known)
  for (const { name, report } of job.models) {
    if (!report) continue
    const { metrics, updates: version } = report
    const before = known.get(name) ?? []
    const lastVersion = before.at(-1)?.version ?? -1
    if (version === lastVersion) continue
    const kept = version < lastVersion ? [] : before.slice(-(SAMPLES_MAX - 1))
    next.set(name, [...kept, { version, loss: metrics.logLoss, baseLoss: metrics.baseLogLoss }])
  }
  return next
}
