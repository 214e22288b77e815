import type { Clock } from '../base/clock.ts'
import { MillraceError } from '../base/error.ts'
import type { FileSystem } from '../base/file-system.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { QueryOutput } from '../engine/engine.ts'
import type { EpochResults, QueryResults } from '../engine/epoch.ts'
import type { Log } from '../log/log.ts'
import type { OutputMode, SinkSpec } from '../plan/connectors.ts'
import { createSink } from '../sinks/index.ts'
import { type PreparedOutput, type Sink, SinkBehind, type SinkEpoch } from '../sinks/sink.ts'
import type { SinkOutput } from './journal.ts'
import { allOrNone, type Trouble, untilAvailable } from './retry.ts'
import type { SinkStatus } from './status.ts'
import type { Totals } from './totals.ts'

/** What the sinks of a pipeline have in common. */
export interface SinkGroupContext {
  readonly pipeline: string
  readonly workingFolder: string
  readonly owner: string
  readonly openKafka?: (() => Promise<Log>) | undefined
  readonly runId?: string | undefined
  readonly print: (text: string) => void
  readonly clock: Clock
  readonly outboxFolder?: string | undefined
  readonly homeFolder?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Names of sinks whose marks are void, because the user says so. */
  readonly resetSinks?: readonly string[]
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
  readonly #reset: ReadonlySet<string>
  /** What was prepared since the oldest kept snapshot, oldest first: a store that was restored from a backup gets it again. */
  #kept: CertainEpoch[] = []
  #tellChange: () => void = () => {}

  private constructor(members: Member[], { clock, resetSinks = [] }: SinkGroupContext) {
    this.#members = members
    this.#clock = clock
    this.#reset = new Set(resetSinks)
    const unknown = resetSinks.find((name) => !members.some(({ sink }) => sink.name === name))
    if (unknown !== undefined) throw unknownSink(unknown, members)
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
          openKafka: context.openKafka,
          print: context.print,
          clock: context.clock,
          homeFolder: context.homeFolder ?? context.workingFolder,
          env: context.env ?? {},
          ...(context.runId === undefined ? {} : { runId: context.runId }),
          ...(context.outboxFolder === undefined ? {} : { outboxFolder: context.outboxFolder }),
          ...(context.fileSystem && { fileSystem: context.fileSystem }),
        })
        members.push({ sink, queryIndex, query: output.name, kind: spec.kind, mode: sinkMode(spec), committedEpoch: 0 })
      }
      for (const sink of views) {
        members.push({ sink, queryIndex, query: output.name, kind: 'view', mode: 'append', committedEpoch: 0 })
      }
    }
    return new SinkGroup(members, context)
  }

  /**
   * Looks at every mark before anything is changed, then shuts out older writers. A sink that is ahead of the last certain epoch, or that a
   * newer process has written to, belongs to a later state than the checkpoint's.
   */
  async open(fence: number, { lastPreparedEpoch, certain, sinksNamed }: SinkHistory): Promise<void> {
    this.#kept = [...certain]
    for (const { sink } of this.#members) {
      if (sink.view || this.#reset.has(sink.name)) continue
      const mark = await sink.progress()
      if (mark && mark.epoch > lastPreparedEpoch) throw checkpointTooOld(sink, mark.epoch, lastPreparedEpoch)
      if (mark && mark.fence > fence) throw newerFence(sink, mark.fence, fence)
      if (!mark && sink.marksEveryEpoch && sinksNamed.has(sink.name)) throw markMissing(sink)
    }
    for (const member of this.#members) {
      const start = { epoch: lastPreparedEpoch, reset: this.#reset.has(member.sink.name) }
      const mark = await member.sink.open(fence, start)
      // Until it was shut out, an older process may have gone on.
      if (mark && !member.sink.view && mark.epoch > lastPreparedEpoch)
        throw checkpointTooOld(member.sink, mark.epoch, lastPreparedEpoch)
      member.committedEpoch = mark?.epoch ?? (member.sink.marksEveryEpoch ? lastPreparedEpoch : 0)
    }
  }

  /** Durable but invisible in every sink when it resolves. `hashes` are per query and mode, as `modeHashes` gives them. */
  async prepare(
    at: EpochAt,
    results: EpochResults,
    hashes: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<SinkOutput[]> {
    return allOrNone(this.#members, signal, async (member, stop) => {
      const { sink, queryIndex, query, mode } = member
      const hash = hashes.get(`${query}/${mode}`) ?? ''
      const rows = modeRows(results.queries[queryIndex], mode)
      if (!rows) return { sink: sink.name, hash, output: NOTHING }
      const prepare = (): Promise<PreparedOutput> => sink.prepare({ ...at, hash }, rows)
      const output = await (sink.view ? tolerated(member, prepare(), NOTHING) : this.#patiently(member, stop, prepare))
      return { sink: sink.name, hash, output }
    })
  }

  /** Visible in every sink when it resolves. Tries again while a sink is unavailable; stops early when `signal` aborts. */
  async commit(at: EpochAt, outputs: readonly SinkOutput[], signal: AbortSignal): Promise<void> {
    const byName = new Map(outputs.map((output) => [output.sink, output]))
    if ((this.#kept.at(-1)?.epoch ?? 0) < at.epoch) this.#kept.push({ epoch: at.epoch, previous: at.previous, outputs })
    await allOrNone(this.#members, signal, async (member, stop) => {
      const prepared = byName.get(member.sink.name)
      if (!prepared || (this.#reset.has(member.sink.name) && at.epoch <= member.committedEpoch)) return
      await this.#commitOne(member, { ...at, hash: prepared.hash }, prepared, stop)
      member.committedEpoch = at.epoch
    })
  }

  /** When a sink wants an epoch although there may be no rows, ms; undefined when nothing waits anywhere. */
  dueMs(): number | undefined {
    const times = this.#members.map(({ sink }) => sink.dueMs?.()).filter((time) => time !== undefined)
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /** Lets every sink remove what it kept for epochs that no recovery will ask for again. */
  async forget(epoch: number): Promise<void> {
    this.#kept = this.#kept.filter((one) => one.epoch > epoch)
    await Promise.all(this.#members.map((member) => member.sink.forget(epoch)))
  }

  /** Calls back when a sink falls into trouble or gets over it. */
  watch(listener: () => void): void {
    this.#tellChange = listener
  }

  status(totals: Totals): SinkStatus[] {
    return this.#members.map((member) => ({
      name: member.sink.name,
      query: member.query,
      kind: member.kind,
      target: member.sink.target,
      ...totals.sink(member.sink.name),
      waitingRows: member.sink.waitingRows?.() ?? null,
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
    let resent = false
    await this.#patiently(member, signal, async () => {
      try {
        await member.sink.commit(epoch, prepared.output)
      } catch (error) {
        if (!(error instanceof SinkBehind) || resent) throw error
        resent = true
        await this.#sendAgain(member, error, epoch, signal)
        await member.sink.commit(epoch, prepared.output)
      }
    })
  }

  /** Tries for as long as it takes; meanwhile the status says why. */
  #patiently<T>(member: Member, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    return untilAvailable(attempt, {
      clock: this.#clock,
      signal,
      name: member.sink.name,
      tell: (trouble) => {
        if (trouble) member.trouble = trouble
        else delete member.trouble
        this.#tellChange()
      },
    })
  }

  /** Commits the epochs between the one that a store has and the one that is due, from what was kept. */
  async #sendAgain(member: Member, behind: SinkBehind, due: SinkEpoch, signal: AbortSignal): Promise<void> {
    const missing = this.#kept.filter(({ epoch }) => epoch > behind.epoch && epoch < due.epoch)
    if (missing[0]?.previous !== behind.epoch) throw behind
    for (const { epoch, previous, outputs } of missing) {
      const output = outputs.find(({ sink }) => sink === member.sink.name)
      if (!output) throw behind
      await this.#commitOne(member, { epoch, previous, fence: due.fence, hash: output.hash }, output, signal)
    }
  }
}

/** An epoch as every sink is told of it, but for the hash of its own rows. */
export type EpochAt = Omit<SinkEpoch, 'hash'>

/** An epoch that was prepared everywhere, as the journal has it. */
export interface CertainEpoch {
  readonly epoch: number
  readonly previous: number
  readonly outputs: readonly SinkOutput[]
}

/** What the checkpoint knows about its sinks. */
export interface SinkHistory {
  readonly lastPreparedEpoch: number
  /** Epochs whose outputs are still kept, oldest first. */
  readonly certain: readonly CertainEpoch[]
  /** Sinks that have prepared something before. */
  readonly sinksNamed: ReadonlySet<string>
}

interface Member {
  readonly sink: Sink
  readonly queryIndex: number
  readonly query: string
  readonly kind: string
  readonly mode: OutputMode
  committedEpoch: number
  trouble?: Pick<Trouble, 'message'> & { readonly nextTryMs: number | null }
}

const NOTHING: PreparedOutput = { rows: 0, bytes: 0, files: [] }

/** An error in a view is shown and stops nobody. */
async function tolerated<T>(member: Member, step: Promise<T>, otherwise: T): Promise<T> {
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
  return 'mode' in spec ? spec.mode : 'append'
}

function unknownSink(name: string, members: readonly Member[]): MillraceError {
  const names = members.map(({ sink }) => sink.name).join(', ')
  return new MillraceError('invalid-option', `the pipeline has no sink "${name}"`, { hint: `its sinks are ${names}` })
}

function newerFence(sink: Sink, newer: number, fence: number): MillraceError {
  return new MillraceError(
    'incompatible-state',
    `the sink ${sink.name} has been written by process number ${newer} of its checkpoint, this one is number ${fence}: the checkpoint is older than its output`,
    { hint: `use the checkpoint that wrote ${sink.target}, or give up what it knew with --reset-sink ${sink.name}` },
  )
}

function markMissing(sink: Sink): MillraceError {
  return new MillraceError(
    'incompatible-state',
    `${sink.target} has no mark of the sink ${sink.name}, which has committed before`,
    {
      hint: `connect the server that it has written to, or add --reset-sink ${sink.name} to go on here at the next epoch`,
    },
  )
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
