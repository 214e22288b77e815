import { parentPort, workerData } from 'node:worker_threads'
import type { PipelinePlan } from '../../src/index.ts'
import { presetsPipeline } from './presets.ts'
import { pipelineOf, slidingPipeline } from './queries.ts'
import { decodedBatches, decodeOnly, runEngine, runOperators } from './runs.ts'
import type { EngineWork } from './thread-contender.ts'

// One contender's thread, see `threadContender`.

const { what, plan: named, data } = workerData as EngineWork
const plan = planOf(named)
const batches = what === 'operators' ? decodedBatches(plan, data) : []

parentPort?.on('message', () => {
  if (what === 'engine') parentPort?.postMessage(runEngine(plan, data))
  else if (what === 'decode') parentPort?.postMessage(decodeOnly(plan, data))
  else parentPort?.postMessage(runOperators(plan, data, batches))
})

function planOf(named: EngineWork['plan']): PipelinePlan {
  if ('queries' in named) return pipelineOf(named.queries)
  return 'presets' in named ? presetsPipeline(named.presets) : slidingPipeline(named.size, named.slide)
}
