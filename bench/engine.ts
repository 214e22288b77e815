import { DATA_SETS, engineData } from './engine/data.ts'
import { pipelineOf, slidingPipeline } from './engine/queries.ts'
import { decodedBatches, decodeOnly, runEngine, runOperators } from './engine/runs.ts'
import type { Bench, BenchOptions, BenchResult } from './support/bench.ts'
import { type Contender, measure, resultOf } from './support/measure.ts'

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
  const all = pipelineOf(ALL)
  const batches = decodedBatches(all, data)
  const operators = (label: string, plan: ReturnType<typeof pipelineOf>): Contender => ({
    name: `operators/${label}`,
    run: () => runOperators(plan, data, batches),
  })
  const contenders: Contender[] = [
    { name: 'engine', run: () => runEngine(all, data) },
    { name: 'decode', run: () => decodeOnly(all, data) },
    operators('all', all),
    ...ALL.map((query) => operators(query, pipelineOf([query]))),
    ...SLIDES.map(([size, slide]) => operators(`sliding ${size} / ${slide}`, slidingPipeline(size, slide))),
  ]
  const measured = await measure(contenders, { warmUps: 1, runs: 5 })
  return measured.map((one) => resultOf({ name: one.name, data: name }, one)).reverse()
}
