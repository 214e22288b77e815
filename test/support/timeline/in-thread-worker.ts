import type { EncodedRecords } from '../../../src/batch/encoded-records.ts'
import type { OffsetRange } from '../../../src/engine/epoch.ts'
import { DataWorker } from '../../../src/job/data-worker.ts'
import {
  errorOf,
  type WorkerAnswers,
  type WorkerLink,
  type WorkerRequest,
  type WorkerResponse,
  type WorkerStart,
} from '../../../src/job/worker-messages.ts'

/** A data worker without a thread: everything that goes to it or comes from it is cloned as on the way to one. */
export class InThreadWorker implements WorkerLink {
  readonly #worker: DataWorker

  constructor(start: WorkerStart) {
    this.#worker = new DataWorker(structuredClone(start))
  }

  async ask<K extends WorkerRequest['kind']>(request: WorkerRequest & { readonly kind: K }): Promise<WorkerAnswers[K]> {
    const response: WorkerResponse = structuredClone(this.#worker.respond(structuredClone(request)))
    if (!response.ok) throw errorOf(response.error)
    return response.answer as WorkerAnswers[K]
  }

  async send(range: OffsetRange, records: EncodedRecords): Promise<void> {
    await this.ask({ kind: 'records', range, records })
  }

  async close(): Promise<void> {}
}
