import { PRESETS } from '../src/pipelines/index.ts'
import { DATA_SETS, engineData } from './engine/data.ts'
import { threadContender } from './engine/thread-contender.ts'
import type { Bench, BenchOptions, BenchResult } from './support/bench.ts'
import { measure, resultOf } from './support/measure.ts'

const EVENTS = 1_000_000
const NAMES = [...PRESETS.keys()]

/** Every windowed query of every preset in one pipeline, on one core; and each preset by itself. */
export const bench: Bench = {
  name: 'presets',
  summary:
    'the windowed queries of all five presets over one stream of canonical events, each with its own delay, one core',
  async run({ data: name = 'uniform', events = EVENTS }: BenchOptions): Promise<readonly BenchResult[]> {
    const data = await engineData(name in DATA_SETS ? name : 'uniform', events)
    const contenders = [
      threadContender('presets', { what: 'engine', plan: { presets: NAMES }, data }),
      threadContender('decode', { what: 'decode', plan: { presets: NAMES }, data }),
      ...NAMES.map((preset) => threadContender(preset, { what: 'engine', plan: { presets: [preset] }, data })),
    ]
    try {
      const measured = await measure(contenders, { warmUps: 1, runs: 3 })
      return measured.map((one) => resultOf({ name: one.name, data: name }, one)).reverse()
    } finally {
      for (const contender of contenders) await contender.stop()
    }
  },
}
