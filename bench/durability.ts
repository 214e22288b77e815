import assert from 'node:assert/strict'
import { measureLatency } from './durability/latency.ts'
import { measurePrice } from './durability/price.ts'
import { measureRestart } from './durability/restart.ts'
import type { Bench, BenchOptions, BenchResult } from './support/bench.ts'

const EVENTS = 3_000_000
const SESSIONS = 1_000_000

/** What it costs that nothing is lost: in throughput, in the time that a restart takes, and until an event can be seen. */
export const bench: Bench = {
  name: 'durability',
  summary:
    'price of checkpoints, Parquet and PostgreSQL; restart with open sessions; event to committed at 10,000 events/s',
  run,
}

const PARTS: Readonly<Record<string, (events: number | undefined) => Promise<readonly BenchResult[]>>> = {
  price: (events = EVENTS) => measurePrice(events),
  restart: (sessions = SESSIONS) => measureRestart(sessions),
  latency: () => measureLatency(),
}

async function run({ data, events }: BenchOptions): Promise<readonly BenchResult[]> {
  const names = data === undefined ? Object.keys(PARTS) : [data]
  const results: BenchResult[] = []
  for (const name of names) {
    const measurePart = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined
    assert.ok(measurePart, `no data is called ${name}: ${Object.keys(PARTS).join(', ')}`)
    results.push(...(await measurePart(events)))
  }
  return results
}
