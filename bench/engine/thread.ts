import { parentPort, workerData } from 'node:worker_threads'
import { pipelineOf, slidingPipeline } from './queries.ts'
import { decodedBatches, decodeOnly, runEngine, runOperators } from './runs.ts'
import type { EngineWork } from './thread-contender.ts'

// One contender's thread, see `threadContender`.

const { what, plan: named, data } = workerData as EngineWork
const plan = 'queries' in named ? pipelineOf(named.queries) : slidingPipeline(named.size, named.slide)
const batches = what === 'operators' ? decodedBatches(plan, data) : []

parentPort?.on('message', () => {
  if (what === 'engine') parentPort?.postMessage(runEngine(plan, data))
  else if (what === 'decode') parentPort?.postMessage(decodeOnly(plan, data))
  else parentPort?.postMessage(runOperators(plan, data, batches))
})
