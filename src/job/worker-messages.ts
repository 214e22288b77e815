import { type ErrorCode, MillraceError } from '../base/error.ts'
import type { Column } from '../batch/column.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import { dictionaryOf, type PlainDictionary, plainDictionary } from '../batch/plain-dictionary.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { WasmModule } from '../batch/wasm-module.ts'
import type { EngineOptions } from '../engine/engine.ts'
import type { EpochPlan, OffsetRange } from '../engine/epoch.ts'
import type { HandOverRequest, WorkerClosed, WorkerGathered, WorkerHeld, WorkerState } from '../engine/worker-engine.ts'
import type { PipelinePlan } from '../plan/node.ts'

/** What a data worker is started with. */
export interface WorkerStart {
  readonly plan: PipelinePlan
  readonly options: EngineOptions
  /** Shards whose groups this worker owns. */
  readonly shards: readonly number[]
  readonly decoder: {
    readonly module: WasmModule | undefined
    readonly knownMembers: readonly string[]
    readonly hashSeed: number
    readonly dictionaryEntriesMax: number
  }
}

/** What the coordinator asks of a data worker; each is answered once, in order. */
export type WorkerRequest =
  | { readonly kind: 'restore'; readonly state: WorkerState; readonly closeWatermarksMs: readonly number[] }
  | {
      readonly kind: 'begin'
      readonly plan: EpochPlan
      readonly partitionCount: number
      readonly closeWatermarksMs: readonly number[]
      /** By query: sessions that owners have closed before their time, since the last `begin`. */
      readonly marks: readonly (readonly Uint8Array[])[]
    }
  | { readonly kind: 'records'; readonly range: OffsetRange; readonly records: readonly EncodedRecords[] }
  | { readonly kind: 'gather' }
  | {
      readonly kind: 'closing-keys'
      readonly closeWatermarksMs: readonly number[]
      readonly newestMs: readonly number[]
    }
  | ({ readonly kind: 'hand-over' } & HandOverRequest)
  | { readonly kind: 'close'; readonly epoch: number; readonly partials: readonly Uint8Array[] }
  | { readonly kind: 'snapshot'; readonly partials: readonly Uint8Array[] }

/** Answers by the kind of request. */
export interface WorkerAnswers {
  /** Marks that the state has, by query. */
  readonly restore: readonly WorkerHeld[]
  readonly begin: undefined
  readonly records: undefined
  readonly gather: WorkerGathered
  /** By query. */
  readonly 'closing-keys': readonly (readonly Uint8Array[])[]
  /** By owner. */
  readonly 'hand-over': readonly Uint8Array[]
  readonly close: readonly WorkerClosed[]
  readonly snapshot: WorkerState
}

/** What comes back from a worker. */
export type WorkerResponse =
  | { readonly ok: true; readonly answer: unknown }
  | { readonly ok: false; readonly error: WorkerFailure }

/** The coordinator's end of a data worker: requests go in order, answers come in order. */
export interface WorkerLink {
  ask<K extends WorkerRequest['kind']>(
    request: WorkerRequest & { readonly kind: K },
    transfer?: readonly ArrayBuffer[],
  ): Promise<WorkerAnswers[K]>
  /** Sends records without waiting for the answer, but not more than the worker can hold. A failure shows at the next `ask`. */
  send(range: OffsetRange, records: readonly EncodedRecords[]): Promise<void>
  close(): Promise<void>
}

/** An error on its way to another thread. */
export interface WorkerFailure {
  readonly message: string
  /** Of a `MillraceError`; any other error is a bug. */
  readonly known?: { readonly code: string; readonly hint: string }
  readonly stack: string
}

/** The error that it was in the other thread. */
export function errorOf({ message, known, stack }: WorkerFailure): Error {
  if (known) return new MillraceError(known.code as ErrorCode, message, { hint: known.hint })
  const error = new Error(message)
  error.stack = stack
  return error
}

type PlainColumn = Exclude<Column, { kind: 'dictionary' }> | (PlainDictionary & { kind: 'plain'; codes: Int32Array })

/** Rows without anything that only lives in one thread. */
export type PlainBatch = Omit<ResultBatch, 'columns'> & { readonly columns: readonly PlainColumn[] }

/** Makes rows fit to be sent. */
export function toPlain(rows: ResultBatch): PlainBatch {
  return {
    ...rows,
    columns: rows.columns.map((column) =>
      column.kind === 'dictionary'
        ? { kind: 'plain', codes: column.codes, ...plainDictionary(column.dictionary) }
        : column,
    ),
  }
}

/** Takes rows that were sent. */
export function fromPlain(rows: PlainBatch): ResultBatch {
  return {
    ...rows,
    columns: rows.columns.map((column) =>
      column.kind === 'plain' ? { kind: 'dictionary', codes: column.codes, dictionary: dictionaryOf(column) } : column,
    ),
  }
}
