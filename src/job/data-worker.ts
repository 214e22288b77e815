import { unreachable } from '../base/assert.ts'
import { MillraceError } from '../base/error.ts'
import type { Decoder } from '../batch/json-decoder.ts'
import { WorkerEngine } from '../engine/worker-engine.ts'
import { createDecoder } from './create-decoder.ts'
import {
  toPlain,
  type WorkerFailure,
  type WorkerRequest,
  type WorkerResponse,
  type WorkerStart,
} from './worker-messages.ts'

/** Computes its share of every epoch, as the coordinator asks (parallel-runner.ts), in whatever thread it is. */
export class DataWorker {
  readonly #engine: WorkerEngine
  readonly #decoder: Decoder

  constructor({ plan, options, shards, decoder }: WorkerStart) {
    this.#engine = new WorkerEngine(plan, options, shards)
    this.#decoder = createDecoder(
      {
        fields: this.#engine.fields,
        knownMembers: new Set(decoder.knownMembers),
        hashSeed: decoder.hashSeed,
        dictionaryEntriesMax: decoder.dictionaryEntriesMax,
      },
      decoder.module,
    )
  }

  respond(request: WorkerRequest): WorkerResponse {
    try {
      return { ok: true, answer: this.#answer(request) }
    } catch (error) {
      return { ok: false, error: failureOf(error) }
    }
  }

  #answer(request: WorkerRequest): unknown {
    const engine = this.#engine
    switch (request.kind) {
      case 'restore':
        return engine.restore(request.state, request.closeWatermarksMs)
      case 'begin':
        return engine.beginEpoch(request.plan, request.partitionCount, request.closeWatermarksMs, request.marks)
      case 'records': {
        const { partition, from, to } = request.range
        for (const records of request.records) engine.processBatch(partition, this.#decoder.decode(records, from, to))
        return undefined
      }
      case 'gather': {
        const gathered = engine.finishReading()
        const selected = gathered.selected.map((parts) => parts.map((part) => ({ ...part, rows: toPlain(part.rows) })))
        return { ...gathered, selected }
      }
      case 'closing-keys':
        return engine.closingKeys(request.closeWatermarksMs, request.newestMs)
      case 'hand-over':
        return engine.handOver(request)
      case 'close':
        engine.merge(request.partials)
        return engine.close(request.epoch)
      case 'snapshot':
        engine.merge(request.partials)
        return engine.snapshot()
      default:
        return unreachable(request)
    }
  }
}

function failureOf(error: unknown): WorkerFailure {
  const message = error instanceof Error ? error.message : String(error)
  const stack = error instanceof Error ? (error.stack ?? message) : message
  if (!(error instanceof MillraceError)) return { message, stack }
  return { message, stack, known: { code: error.code, hint: error.hint } }
}
