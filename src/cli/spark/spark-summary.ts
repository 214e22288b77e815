import type { QueryState } from '../../spark/run.ts'
import type { RelayState } from './relay.ts'

/** What became of a run on Spark. */
export interface SparkSummary {
  readonly queries: readonly QuerySummary[]
}

interface QuerySummary {
  readonly name: string
  readonly state: string
  readonly batches: number
  readonly restarts: number
  /** ISO-8601; null without a watermark. */
  readonly watermark: string | null
  /** Rows that the relay brought into a table; null for sinks that Spark writes to. */
  readonly relayed: number | null
}

/** The states of a run's queries, and of their relays, as data. */
export function sparkSummary(states: readonly QueryState[], relays: readonly RelayState[]): SparkSummary {
  return {
    queries: states.map(({ name, state, restarts, progress }) => ({
      name,
      state,
      restarts,
      batches: progress ? progress.batchId + 1 : 0,
      watermark: progress?.watermarkMs === undefined ? null : new Date(progress.watermarkMs).toISOString(),
      relayed: relays.find((one) => one.name === name)?.rows ?? null,
    })),
  }
}
