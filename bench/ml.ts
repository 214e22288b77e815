import assert from 'node:assert/strict'
import { adaGrad, adam, ftrl, sgd } from '../src/ml/model-spec.ts'
import type { OptimizerOptions } from '../src/ml/optimizer.ts'
import { engineData } from './engine/data.ts'
import { decodedBatches, runOperators } from './engine/runs.ts'
import { FEATURES, gaussianRows, ROWS, type Rows } from './ml/gaussian.ts'
import { learnBare, learnWatched } from './ml/learning.ts'
import { riverVersion, runRiver } from './ml/river.ts'
import { modelPipeline } from './ml/stream.ts'
import type { Bench, BenchResult } from './support/bench.ts'
import { type Contender, type Measurement, measure, resultOf, spreadOf } from './support/measure.ts'

const STREAM_EVENTS = 400_000
const RIVER_ROWS = 20_000
const RIVER_RUNS = 3

/** Predicting and learning, row by row on one core: scaler, logistic regression, L2, log loss; and a whole model step of a pipeline. */
export const bench: Bench = {
  name: 'ml',
  summary: `predict and learn per row: ${FEATURES} numbers, scaled; logistic regression with L2; log loss; beside River where Python has it`,
  async run() {
    const rows = gaussianRows()
    const learners = [
      ...(['ada-grad', 'adam', 'ftrl'] as const).map((name) => withCpu(name, () => learned(OPTIMIZERS[name], rows))),
      withCpu('sgd, metrics, drift, rollback', () => checked(learnWatched(rows, ROWS))),
      withCpu('sgd', () => learned(OPTIMIZERS.sgd, rows)),
    ]
    const measured = await measure(learners.map(({ contender }) => contender))
    const river = beside(rows)
    const peers = river
      ? [{ ...resultOf({ name: river.name, data: 'gaussian' }, river), cpuNsPerEvent: river.cpuNs }]
      : []
    const results = measured.map((one, index): BenchResult => {
      const result = resultOf({ name: one.name, data: 'gaussian' }, one, river && one.name === 'sgd' ? [river] : [])
      return { ...result, cpuNsPerEvent: learners[index]?.cpuNs() ?? Number.NaN }
    })
    return [...peers, ...results, await wholeStep()]
  },
}

/** A model's step of a pipeline. By itself, for what it has in memory would slow down the others. */
async function wholeStep(): Promise<BenchResult> {
  const data = await engineData('uniform', STREAM_EVENTS)
  const plan = modelPipeline()
  const batches = decodedBatches(plan, data)
  const step = withCpu('stream: hashed texts, labels joined, all metrics', () => runOperators(plan, data, batches))
  const [measured] = await measure([step.contender])
  return { ...resultOf({ name: measured.name, data: 'uniform' }, measured), cpuNsPerEvent: step.cpuNs() }
}

const OPTIMIZERS = { 'ada-grad': adaGrad(), adam: adam(0.01), ftrl: ftrl(), sgd: sgd(0.01) }

/** With the processor time that an event takes, as a machine that does other work makes the time on the clock longer. */
function withCpu(name: string, run: () => number): { readonly contender: Contender; cpuNs(): number } {
  const cpuNs: number[] = []
  return {
    contender: {
      name,
      run() {
        const before = process.cpuUsage()
        const events = run()
        const { user, system } = process.cpuUsage(before)
        cpuNs.push(((user + system) * 1000) / events)
        return events
      },
    },
    cpuNs: () => spreadOf(cpuNs.slice(2)).median,
  }
}

function learned(optimizer: OptimizerOptions, rows: Rows): number {
  return checked(learnBare(optimizer, rows, ROWS))
}

function checked(loss: number): number {
  assert.ok(loss / ROWS < 0.6, `a loss of ${loss / ROWS}: nothing was learned`)
  return ROWS
}

/** River over the first of the same rows, which has to come to the same losses. */
function beside(rows: Rows): (Measurement & { readonly cpuNs: number }) | undefined {
  const version = riverVersion()
  if (version === undefined) return undefined
  const runs = runRiver(rows, RIVER_ROWS, RIVER_RUNS)
  const loss = learnBare(OPTIMIZERS.sgd, rows, RIVER_ROWS)
  for (const run of runs)
    assert.ok(Math.abs(run.loss - loss) < 1e-9 * loss, `River's losses are ${run.loss}, these ${loss}`)
  return {
    name: `River ${version}`,
    events: RIVER_ROWS,
    nsPerEvent: spreadOf(runs.map(({ ns }) => ns / RIVER_ROWS)),
    cpuNs: spreadOf(runs.map(({ cpuNs }) => cpuNs / RIVER_ROWS)).median,
  }
}
