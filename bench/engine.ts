import { DATA_SETS, engineData } from './engine/data.ts'
import { type EngineWork, threadContender } from './engine/thread-contender.ts'
import type { Bench, BenchOptions, BenchResult } from './support/bench.ts'
import { measure, resultOf } from './support/measure.ts'

const EVENTS = 2_000_000
const ALL = ['tumbling', 'sliding', 'sessions']
const SLIDES = [
  ['5 minutes', '1 minute'],
  ['1 hour', '1 minute'],
  ['1 day', '1 minute'],
] as const

/** Decode, validate, and three queries by themselves and together, on one core. */
export const bench: Bench = {
  name: 'engine',
  summary:
    'decode + tumbling (count, sum, approx distinct by page) + sliding exact distinct users + sessions by user, one core',
  async run(options: BenchOptions): Promise<readonly BenchResult[]> {
    const names = options.data === undefined ? Object.keys(DATA_SETS) : [options.data]
    const results: BenchResult[] = []
    for (const name of names) results.push(...(await runOn(name)))
    return results
  },
}

async function runOn(name: string): Promise<BenchResult[]> {
  const data = await engineData(name, EVENTS)
  const operators = (label: string, plan: EngineWork['plan']): ReturnType<typeof threadContender> =>
    threadContender(`operators/${label}`, { what: 'operators', plan, data })
  const contenders = [
    threadContender('engine', { what: 'engine', plan: { queries: ALL }, data }),
    threadContender('decode', { what: 'decode', plan: { queries: ALL }, data }),
    operators('all', { queries: ALL }),
    ...ALL.map((query) => operators(query, { queries: [query] })),
    ...SLIDES.map(([size, slide]) => operators(`sliding ${size} / ${slide}`, { size, slide })),
  ]
  try {
    const measured = await measure(contenders, { warmUps: 2, runs: 5 })
    return measured.map((one) => resultOf({ name: one.name, data: name }, one)).reverse()
  } finally {
    for (const contender of contenders) await contender.stop()
  }
}
