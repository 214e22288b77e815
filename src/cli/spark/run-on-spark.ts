import { mkdir } from 'node:fs/promises'
import { MillraceError } from '../../base/error.ts'
import type { SparkPlan } from '../../spark/capability.ts'
import { SparkRun, type WatchSettings } from '../../spark/run.ts'
import { type SparkQuery, type SparkSettings, sparkQueries } from '../../spark/write-stream.ts'
import { onStop } from '../signals.ts'
import { Relay, type RelayContext } from './relay.ts'
import { type SparkSummary, sparkSummary } from './spark-summary.ts'

/** A pipeline on its way to Spark. */
export interface SparkRequest {
  readonly spark: SparkPlan
  readonly settings: SparkSettings
  readonly watch: WatchSettings
  readonly relay: RelayContext
  /** Called while it runs, once all is open. */
  readonly onStart: (run: SparkRun, relays: readonly Relay[]) => Promise<() => Promise<void>>
}

/** Runs a pipeline that Spark can do (see `assertAllRuns`) until it has ended or is stopped, with a relay beside it for each table. */
export async function runOnSpark({ spark, settings, watch, relay, onStart }: SparkRequest): Promise<SparkSummary> {
  const queries = sparkQueries(spark.plan, settings)
  const relays = await openRelays(queries, relay)
  const run = new SparkRun(queries, watch, relay.tell)
  const ended = onStop(() => run.stop())
  let after = async (): Promise<void> => {}
  // A relay that cannot go on stops Spark too: nobody would take its rows.
  const relaying = Promise.all(relays.map((one) => one.run())).catch((error: unknown) => {
    run.stop()
    throw error
  })
  relaying.catch(() => {})
  try {
    after = await onStart(run, relays)
    await run.run()
    for (const one of relays) one.stop()
    await relaying
    return sparkSummary(run.states(), relays)
  } finally {
    ended()
    await after()
    for (const one of relays) one.stop()
    await relaying.catch(() => {})
    await Promise.all(relays.map((one) => one.close()))
    await run.close()
  }
}

async function openRelays(queries: readonly SparkQuery[], context: RelayContext): Promise<Relay[]> {
  const relays: Relay[] = []
  for (const query of queries) {
    if (!query.relay) continue
    try {
      await mkdir(query.relay.folder, { recursive: true })
      relays.push(await Relay.open(query, query.relay, context))
    } catch (error) {
      await Promise.all(relays.map((one) => one.close()))
      throw error
    }
  }
  return relays
}

/** Throws `unsupported` with all that Spark cannot do of a plan, before anything is opened or made for it. */
export function assertAllRuns({ refusals }: SparkPlan): void {
  if (refusals.length === 0) return
  const lines = refusals.map(({ query, what, instead }) => `  ${query}: ${what}: ${instead}`)
  const names = [...new Set(refusals.map(({ query }) => query))].join(', ')
  throw new MillraceError('unsupported', `Spark cannot do all of this\n${lines.join('\n')}`, {
    hint: `run the other queries there, with --only for each of them, and here what is left: ${names}`,
  })
}
