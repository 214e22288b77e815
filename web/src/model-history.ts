import { effect, type Signal, signal } from '@preact/signals'
import type { JobStatus, ModelEvent } from '../../src/server/api.ts'
import { newestStatus } from './feed.ts'

const SAMPLES_MAX = 240

/** How good a model was at one of its versions. */
export interface ModelSample {
  readonly version: number
  readonly loss: number
  readonly baseLoss: number
  /** Null when all outcomes were alike. */
  readonly auc: number | null
  /** By name of the feature. */
  readonly weights: ReadonlyMap<string, number>
}

/** What this page has seen of each model, by name, oldest first. The server keeps no history. */
export const modelHistory: Signal<ReadonlyMap<string, readonly ModelSample[]>> = signal(new Map())

/** Writes down what is seen from now on. */
export function recordModels(): void {
  effect(() => {
    const job = newestStatus.value
    if (job && job.models.length > 0) modelHistory.value = appendedSamples(modelHistory.peek(), job)
  })
}

/** The history with the models' newest versions; a model that has begun anew has a new history. */
export function appendedSamples(
  known: ReadonlyMap<string, readonly ModelSample[]>,
  job: Pick<JobStatus, 'models'>,
): ReadonlyMap<string, readonly ModelSample[]> {
  const next = new Map(known)
  for (const { name, report, weights } of job.models) {
    if (!report) continue
    const { metrics, updates: version } = report
    const before = known.get(name) ?? []
    const lastVersion = before.at(-1)?.version ?? -1
    if (version === lastVersion) continue
    const kept = version < lastVersion ? [] : before.slice(-(SAMPLES_MAX - 1))
    const sample = {
      version,
      loss: metrics.logLoss,
      baseLoss: metrics.baseLogLoss,
      auc: metrics.auc,
      weights: new Map(weights.map((one) => [one.name, one.weight])),
    }
    next.set(name, [...kept, sample])
  }
  return next
}

/** An event with its place between the first and the last sample, from 0 to 1. */
export interface HistoryMark {
  readonly event: ModelEvent
  readonly place: number
}

/** Events that lie within what was seen. */
export function marksOf(samples: readonly ModelSample[], events: readonly ModelEvent[]): HistoryMark[] {
  const [first, last] = [samples.at(0)?.version, samples.at(-1)?.version]
  if (first === undefined || last === undefined || last <= first) return []
  return events
    .filter(({ kind, version }) => kind !== 'refused' && version >= first && version <= last)
    .map((event) => ({ event, place: (event.version - first) / (last - first) }))
}
