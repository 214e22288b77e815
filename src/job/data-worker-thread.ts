import { Worker } from 'node:worker_threads'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { OffsetRange } from '../engine/epoch.ts'
import { PieceMemory } from './piece-memory.ts'
import {
  errorOf,
  type WorkerAnswers,
  type WorkerLink,
  type WorkerRequest,
  type WorkerResponse,
  type WorkerStart,
} from './worker-messages.ts'

/** Bytes of records that a worker may have before it before more are sent: some hundredths of a second of work. */
const WAITING_BYTES_MAX = 4 << 20

/** The published package is JavaScript. */
const ENTRY = import.meta.url.endsWith('.ts')
  ? new URL('./data-worker-entry.ts', import.meta.url)
  : new URL('./data-worker-entry.js', import.meta.url)

/** A data worker in a thread of its own. */
export class DataWorkerThread implements WorkerLink {
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  readonly #pieces = new PieceMemory()
  #failure: Error | undefined
  #waitingBytes = 0
  readonly #waitingBytesMax: number
  /** Those that wait to send: one for each partition. */
  #senders: (() => void)[] = []

  constructor(start: WorkerStart, waitingBytesMax: number = WAITING_BYTES_MAX) {
    this.#waitingBytesMax = waitingBytesMax
    this.#worker = new Worker(ENTRY, { workerData: start, name: 'millrace data worker' })
    this.#worker.on('message', (response: WorkerResponse) => this.#take(response))
    this.#worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))))
    this.#worker.on('exit', () => this.#fail(new Error('a data worker ended by itself')))
  }

  ask<K extends WorkerRequest['kind']>(
    request: WorkerRequest & { readonly kind: K },
    transfer: readonly ArrayBuffer[] = [],
    bytes = 0,
  ): Promise<WorkerAnswers[K]> {
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waitingBytes += bytes
      this.#waiting.push({ bytes, resolve: resolve as (answer: unknown) => void, reject })
      this.#worker.postMessage(request, transfer as ArrayBuffer[])
    })
  }

  async send(range: OffsetRange, records: readonly EncodedRecords[]): Promise<void> {
    while (this.#waitingBytes >= this.#waitingBytesMax && !this.#failure) await this.#room()
    const { copies, memory } = this.#pieces.copy(records)
    const bytes = copies.reduce((sum, one) => sum + one.bytes.length, 0)
    this.ask({ kind: 'records', range, records: copies }, [], bytes)
      .catch((error: Error) => {
        this.#failure ??= error
      })
      .finally(() => {
        if (memory) this.#pieces.giveBack(memory)
        for (const { release } of records) release?.()
      })
  }

  async close(): Promise<void> {
    this.#worker.removeAllListeners('exit')
    await this.#worker.terminate()
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#senders.push(resolve)
    })
  }

  #take(response: WorkerResponse): void {
    const waiting = this.#waiting.shift()
    if (!waiting) return
    this.#waitingBytes -= waiting.bytes
    this.#wakeSenders()
    if (response.ok) waiting.resolve(response.answer)
    else waiting.reject(errorOf(response.error))
  }

  #wakeSenders(): void {
    for (const wake of this.#senders.splice(0)) wake()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure)
    this.#wakeSenders()
  }
}

interface Waiting {
  readonly bytes: number
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}
