import assert from 'node:assert/strict'
import type { BenchResult, Spread } from './bench.ts'

/** Something to be timed. */
export interface Contender {
  readonly name: string
  /** Does the whole work once and gives the number of events; it must be the same in each run. */
  run(): number | Promise<number>
  /** What a run needs and its time should not include; called before each run. */
  prepare?(): void | Promise<void>
}

/** How long a contender took. */
export interface Measurement {
  readonly name: string
  readonly events: number
  readonly nsPerEvent: Spread
}

/** How often each contender runs: first untimed, for the compiler and the caches, then timed. */
export interface MeasureOptions {
  readonly warmUps?: number
  readonly runs?: number
}

/**
 * Times all contenders side by side: each round runs every one of them once, each round begins with another one. What
 * the machine does besides, and how warm it is, then falls on all alike.
 */
export async function measure(
  contenders: readonly Contender[],
  { warmUps = 2, runs = 7 }: MeasureOptions = {},
): Promise<Measurement[]> {
  const timings = contenders.map((contender) => ({ contender, events: 0, durationsNs: [] as number[] }))
  for (let round = -warmUps; round < runs; round++) {
    for (let turn = 0; turn < timings.length; turn++) {
      const timing = timings[(turn + round + warmUps) % timings.length]
      assert.ok(timing !== undefined)
      await timing.contender.prepare?.()
      globalThis.gc?.()
      const startNs = process.hrtime.bigint()
      const events = await timing.contender.run()
      const durationNs = Number(process.hrtime.bigint() - startNs)
      assert.ok(events > 0, `${timing.contender.name} processed no events`)
      assert.ok(
        timing.events === 0 || timing.events === events,
        `${timing.contender.name} did different work in two runs`,
      )
      timing.events = events
      if (round >= 0) timing.durationsNs.push(durationNs)
    }
  }
  return timings.map(({ contender, events, durationsNs }) => ({
    name: contender.name,
    events,
    nsPerEvent: spreadOf(durationsNs.map((durationNs) => durationNs / events)),
  }))
}

/** Makes a result of what was measured for the benchmark's subject, and for those that it is compared with. */
export function resultOf(
  { name, data }: { readonly name: string; readonly data: string },
  subject: Measurement,
  peers: readonly Measurement[] = [],
): BenchResult {
  const ratio = Object.fromEntries(peers.map((peer) => [peer.name, peer.nsPerEvent.median / subject.nsPerEvent.median]))
  return { name, data, events: subject.events, nsPerEvent: subject.nsPerEvent, ratio }
}

/** The median of some values, with the least and the greatest. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted.at(middle) ?? Number.NaN
  const lower = sorted.at(sorted.length % 2 === 0 ? middle - 1 : middle) ?? Number.NaN
  return {
    median: (lower + upper) / 2,
    min: sorted.at(0) ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
    runs: sorted.length,
  }
}
