import type { JobState, JobStatus, SparkQueryStatus } from '../../job/status.ts'
import type { Fate } from '../../plan/fate.ts'
import type { StatusFeed } from '../../server/status-feed.ts'
import type { QueryState } from '../../spark/run.ts'
import type { RelayState } from './relay.ts'

/** Time between states that the page gets, ms: Spark is not asked more often either. */
const SHOWN_EVERY_MS = 1_000

/** A run on Spark as the page and the API are told of it. */
export function sparkFeed(
  pipeline: string,
  states: () => readonly QueryState[],
  relays: readonly RelayState[],
): StatusFeed {
  const startedAtMs = Date.now()
  return {
    status: () => sparkStatus({ pipeline, startedAtMs, nowMs: Date.now() }, states(), relays),
    subscribe(listener) {
      const timer = setInterval(listener, SHOWN_EVERY_MS).unref()
      return () => clearInterval(timer)
    },
  }
}

/** The states of a run's queries, and of their relays, as the state of a job. Events are read by each query for itself: how many is said of each. */
export function sparkStatus(
  job: Pick<JobStatus, 'pipeline' | 'startedAtMs' | 'nowMs'>,
  states: readonly QueryState[],
  relays: readonly RelayState[],
): JobStatus {
  return {
    ...NOTHING_HERE,
    ...job,
    state: jobState(states),
    spark: states.map((state) => queryStatus(state, relays.find(({ name }) => name === state.name)?.rows ?? null)),
  }
}

function queryStatus({ name, state, restarts, progress }: QueryState, relayedRows: number | null): SparkQueryStatus {
  return {
    name,
    state,
    restarts,
    batches: progress ? progress.batchId + 1 : 0,
    batchRows: progress?.inputRows ?? null,
    batchLateRows: progress?.lateRows ?? null,
    batchMs: progress?.durationMs ?? null,
    stateRows: progress?.stateRows ?? null,
    watermarkMs: progress?.watermarkMs ?? null,
    relayedRows,
  }
}

/** That of the query which is worst off. */
function jobState(states: readonly QueryState[]): JobState {
  if (states.some(({ state }) => state === 'lost')) return 'recovering'
  if (states.some(({ state }) => state === 'starting')) return 'starting'
  return states.every(({ state }) => state === 'ended') ? 'finished' : 'running'
}

const NO_FATES: Readonly<Record<Fate, number>> = {
  accepted: 0,
  filtered: 0,
  late: 0,
  duplicate: 0,
  malformed: 0,
  invalid: 0,
  future: 0,
  expired: 0,
}

const NOTHING_HERE = {
  epoch: 0,
  rowsRead: 0,
  bytesRead: 0,
  eventsPerSecond: 0,
  latency: null,
  fates: NO_FATES,
  reasons: [],
  partitions: [],
  watermarks: [],
  queries: [],
  models: [],
  sinks: [],
  epochs: [],
  recovery: null,
  error: null,
} as const
