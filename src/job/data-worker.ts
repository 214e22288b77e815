// The entry of a data worker: a thread that computes its share of every epoch, as the coordinator asks (parallel-runner.ts).

import { parentPort, workerData } from 'node:worker_threads'
import { assert, unreachable } from '../base/assert.ts'
import { MillraceError } from '../base/error.ts'
import { WorkerEngine } from '../engine/worker-engine.ts'
import { createDecoder } from './create-decoder.ts'
import {
  toPlain,
  type WorkerFailure,
  type WorkerRequest,
  type WorkerResponse,
  type WorkerStart,
} from './worker-messages.ts'

const { plan, options, shards, decoder: decoderStart } = workerData as WorkerStart
const engine = new WorkerEngine(plan, options, shards)
const decoder = createDecoder(
  {
    fields: engine.fields,
    knownMembers: new Set(decoderStart.knownMembers),
    hashSeed: decoderStart.hashSeed,
    dictionaryEntriesMax: decoderStart.dictionaryEntriesMax,
  },
  decoderStart.module,
)

const port = parentPort
assert(port, 'a data worker is started by a coordinator')
port.on('message', (request: WorkerRequest) => port.postMessage(respond(request)))

function respond(request: WorkerRequest): WorkerResponse {
  try {
    return { ok: true, answer: answer(request) }
  } catch (error) {
    return { ok: false, error: failureOf(error) }
  }
}

function answer(request: WorkerRequest): unknown {
  switch (request.kind) {
    case 'restore':
      return engine.restore(request.state)
    case 'begin':
      return engine.beginEpoch(request.plan, request.partitionCount, request.closeWatermarksMs)
    case 'records': {
      const { partition, from, to } = request.range
      return engine.processBatch(partition, decoder.decode(request.records, from, to))
    }
    case 'gather': {
      const gathered = engine.finishReading(request.shardsByOwner)
      const selected = gathered.selected.map((parts) => parts.map((part) => ({ ...part, rows: toPlain(part.rows) })))
      return { ...gathered, selected }
    }
    case 'close':
      return engine.close(request.epoch, request.partials, request.closeWatermarksMs)
    case 'snapshot':
      return engine.snapshot()
    default:
      return unreachable(request)
  }
}

function failureOf(error: unknown): WorkerFailure {
  const message = error instanceof Error ? error.message : String(error)
  const stack = error instanceof Error ? (error.stack ?? message) : message
  if (!(error instanceof MillraceError)) return { message, stack }
  return { message, stack, known: { code: error.code, hint: error.hint } }
}
