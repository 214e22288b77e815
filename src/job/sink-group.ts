import type { Clock } from '../base/clock.ts'
import { MillraceError } from '../base/error.ts'
import type { FileSystem } from '../base/file-system.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { QueryOutput } from '../engine/engine.ts'
import type { EpochResults, QueryResults } from '../engine/epoch.ts'
import type { OutputMode, SinkSpec } from '../plan/connectors.ts'
import { createSink } from '../sinks/index.ts'
import type { PreparedOutput, Sink, SinkEpoch } from '../sinks/sink.ts'
import type { SinkOutput } from './journal.ts'
import type { SinkStatus } from './status.ts'
import type { Totals } from './totals.ts'

const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 10_000

/** What the sinks of a pipeline have in common. */
export interface SinkGroupContext {
  readonly pipeline: string
  readonly workingFolder: string
  readonly owner: string
  readonly print: (text: string) => void
  readonly clock: Clock
  /** Where file sinks write; the machine's by default. */
  readonly fileSystem?: FileSystem
}

/** One query of a pipeline with where its rows go. */
export interface QuerySinks {
  readonly output: QueryOutput
  readonly specs: readonly SinkSpec[]
  readonly views: readonly Sink[]
}

/**
 * All sinks of a pipeline: an epoch is prepared in every one of them before it is certain, and then committed in every one of them,
 * for as long as it takes. A sink that is down holds the job back; nothing is dropped.
 */
export class SinkGroup {
  readonly #members: Member[]
  readonly #clock: Clock

  private constructor(members: Member[], clock: Clock) {
    this.#members = members
    this.#clock = clock
  }

  static async create(queries: readonly QuerySinks[], context: SinkGroupContext): Promise<SinkGroup> {
    const members: Member[] = []
    for (const [queryIndex, { output, specs, views }] of queries.entries()) {
      for (const spec of specs) {
        const sink = await createSink(spec, {
          pipeline: context.pipeline,
          query: output.name,
          name: spec.name ?? `${output.name}.${spec.kind}`,
          fields: output.fields,
          keyColumns: output.keyColumns,
          workingFolder: context.workingFolder,
          owner: context.owner,
          print: context.print,
          ...(context.fileSystem && { fileSystem: context.fileSystem }),
        })
        members.push({ sink, queryIndex, query: output.name, kind: spec.kind, mode: sinkMode(spec), committedEpoch: 0 })
      }
      for (const sink of views) {
        members.push({ sink, queryIndex, query: output.name, kind: 'view', mode: 'append', committedEpoch: 0 })
      }
    }
    return new SinkGroup(members, context.clock)
  }

  /**
   * Looks at every mark before anything is changed, then shuts out older writers. A sink that is ahead of the last certain epoch
   * belongs to a later state than the checkpoint's.
   */
  async open(fence: number, lastPreparedEpoch: number): Promise<void> {
    for (const { sink } of this.#members) {
      const mark = await sink.progress()
      if (mark && !sink.view && mark.epoch > lastPreparedEpoch)
        throw checkpointTooOld(sink, mark.epoch, lastPreparedEpoch)
    }
    for (const member of this.#members) {
      const mark = await member.sink.open(fence)
      // Until it was shut out, an older process may have gone on.
      if (mark && !member.sink.view && mark.epoch > lastPreparedEpoch)
        throw checkpointTooOld(member.sink, mark.epoch, lastPreparedEpoch)
      member.committedEpoch = mark?.epoch ?? 0
    }
  }

  /** Durable but invisible in every sink when it resolves. `hashes` are per query and mode, as `modeHashes` gives them. */
  async prepare(at: EpochAt, results: EpochResults, hashes: ReadonlyMap<string, string>): Promise<SinkOutput[]> {
    return Promise.all(
      this.#members.map(async (member) => {
        const { sink, queryIndex, query, mode } = member
        const hash = hashes.get(`${query}/${mode}`) ?? ''
        const rows = modeRows(results.queries[queryIndex], mode)
        const preparing = rows ? sink.prepare({ ...at, hash }, rows) : NOTHING
        const output = await (sink.view ? tolerated(member, preparing, NOTHING) : preparing)
        return { sink: sink.name, hash, output }
      }),
    )
  }

  /** Visible in every sink when it resolves. Tries again while a sink is unavailable; stops early when `signal` aborts. */
  async commit(at: EpochAt, outputs: readonly SinkOutput[], signal: AbortSignal): Promise<void> {
    const byName = new Map(outputs.map((output) => [output.sink, output]))
    await Promise.all(
      this.#members.map(async (member) => {
        const prepared = byName.get(member.sink.name)
        if (!prepared) return
        await this.#commitOne(member, { ...at, hash: prepared.hash }, prepared, signal)
        member.committedEpoch = at.epoch
      }),
    )
  }

  /** Lets every sink remove what it kept for epochs that no recovery will ask for again. */
  async forget(epoch: number): Promise<void> {
    await Promise.all(this.#members.map((member) => member.sink.forget(epoch)))
  }

  status(totals: Totals): SinkStatus[] {
    return this.#members.map((member) => ({
      name: member.sink.name,
      query: member.query,
      kind: member.kind,
      target: member.sink.target,
      ...totals.sink(member.sink.name),
      committedEpoch: member.committedEpoch,
      lastError: member.trouble?.message ?? null,
      nextTryMs: member.trouble?.nextTryMs ?? null,
    }))
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.sink.close()))
  }

  async #commitOne(member: Member, epoch: SinkEpoch, prepared: SinkOutput, signal: AbortSignal): Promise<void> {
    if (member.sink.view) return tolerated(member, member.sink.commit(epoch, prepared.output), undefined)
    for (let delayMs = RETRY_MS_MIN; ; delayMs = Math.min(RETRY_MS_MAX, delayMs * 2)) {
      try {
        await member.sink.commit(epoch, prepared.output)
        delete member.trouble
        return
      } catch (error) {
        const retryable = error instanceof MillraceError && error.code === 'unavailable'
        if (!retryable || signal.aborted) throw error
        member.trouble = { message: error.message, nextTryMs: this.#clock.now() + delayMs }
        await this.#clock.sleep(delayMs, signal)
      }
    }
  }
}

/** An epoch as every sink is told of it, but for the hash of its own rows. */
export type EpochAt = Omit<SinkEpoch, 'hash'>

interface Member {
  readonly sink: Sink
  readonly queryIndex: number
  readonly query: string
  readonly kind: string
  readonly mode: OutputMode
  committedEpoch: number
  trouble?: { readonly message: string; readonly nextTryMs: number | null }
}

const NOTHING: PreparedOutput = { rows: 0, bytes: 0, files: [] }

/** An error in a view is shown and stops nobody. */
async function tolerated<T>(member: Member, step: Promise<T> | T, otherwise: T): Promise<T> {
  try {
    const result = await step
    delete member.trouble
    return result
  } catch (error) {
    member.trouble = { message: error instanceof Error ? error.message : String(error), nextTryMs: null }
    return otherwise
  }
}

/** The rows of a query in one mode. */
export function modeRows(results: QueryResults | undefined, mode: OutputMode): ResultBatch | undefined {
  return results?.[mode]
}

function sinkMode(spec: SinkSpec): OutputMode {
  return spec.kind === 'console' || spec.kind === 'memory' ? spec.mode : 'append'
}

function checkpointTooOld(sink: Sink, sinkEpoch: number, preparedEpoch: number): MillraceError {
  return new MillraceError(
    'incompatible-state',
    `the sink ${sink.name} has committed epoch ${sinkEpoch}, the checkpoint knows of epochs up to ${preparedEpoch} only: it is older than its output`,
    {
      hint: `use the checkpoint that wrote ${sink.target}, or start over with another --output and another --checkpoint`,
    },
  )
}
