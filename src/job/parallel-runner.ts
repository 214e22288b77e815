import { assert } from '../base/assert.ts'
import { ByteReader, ByteWriter } from '../base/bytes.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { EngineOptions, EngineStatus, OpenWindow, QueryOutput, QueryStatus } from '../engine/engine.ts'
import type { EpochPlan, EpochResults, LedgerEntry, QueryResults } from '../engine/epoch.ts'
import { SHARDS } from '../engine/keys/key-table.ts'
import { mergeResults } from '../engine/merge-results.ts'
import { queryOutputs } from '../engine/query-outputs.ts'
import { selectedFields } from '../engine/selected-fields.ts'
import { concatenated, SelectStage } from '../engine/stages/select-stage.ts'
import { compileStages, type StageTree } from '../engine/stages/stage-tree.ts'
import {
  ALL_SHARDS,
  assertAllRead,
  openSection,
  readHead,
  readTables,
  section,
  writeHead,
  writeTables,
} from '../engine/state-sections.ts'
import type { WorkerClosed, WorkerGathered, WorkerHeld, WorkerState } from '../engine/worker-engine.ts'
import type { OutputMode } from '../plan/connectors.ts'
import type { PipelinePlan } from '../plan/node.ts'
import { queryChain } from '../plan/query-chain.ts'
import { DataWorkerThread } from './data-worker-thread.ts'
import type { EpochRunner, RangeRecords } from './epoch-runner.ts'
import { fromPlain, type PlainBatch, type WorkerLink, type WorkerStart } from './worker-messages.ts'

/** A table that no id has come to yet. */
const NO_IDS = Uint8Array.of(0)

/** Bytes of records that go to a worker at a time. */
const GROUP_BYTES = 1 << 20

/**
 * Spreads epochs over data workers. Partitions are dealt out by their index, shards likewise; the coordinator, which this is, never looks
 * at a row: it moves bytes to the workers, groups that windows close with to their owners (barrier 1), and lets these close the windows
 * (barrier 2).
 */
export class ParallelRunner implements EpochRunner {
  readonly queries: readonly QueryOutput[]
  readonly watermarkIds: readonly string[]
  readonly #workers: readonly WorkerLink[]
  readonly #shardsByOwner: readonly (readonly number[])[]
  /** Only its watermarks move; groups are in the workers. */
  readonly #stages: StageTree
  readonly #bySession: readonly boolean[]
  readonly #hashSeed: number
  readonly #partitionIds: string[] = []
  #lateRows: number[]
  /** By query: marks that the workers have not heard of yet. */
  #marks: Uint8Array[][]
  #queryStatus: QueryStatus[]

  constructor(
    plan: PipelinePlan,
    options: EngineOptions,
    decoder: WorkerStart['decoder'],
    parallelism: number,
    startWorker: (start: WorkerStart) => WorkerLink = (start) => new DataWorkerThread(start),
  ) {
    assert(parallelism > 1, 'one worker is the main thread itself')
    this.queries = queryOutputs(plan, options.extraModes)
    this.#stages = compileStages(plan, selectedFields(plan), this.queries, options)
    this.#bySession = plan.queries.map(({ root }) => queryChain(root).aggregate?.window.kind === 'session')
    this.#hashSeed = options.hashKey[0]
    this.watermarkIds = this.#stages.watermarks.map(({ id }) => id)
    this.#shardsByOwner = Array.from({ length: parallelism }, (_, owner) =>
      ALL_SHARDS.filter((shard) => shard % parallelism === owner),
    )
    this.#workers = this.#shardsByOwner.map((shards) => startWorker({ plan, options, shards, decoder }))
    this.#lateRows = this.queries.map(() => 0)
    this.#marks = this.queries.map(() => [])
    this.#queryStatus = this.queries.map(({ name }) => ({ name, openWindows: [], stateRows: 0, lateRows: 0 }))
  }

  get parallelism(): number {
    return this.#workers.length
  }

  get partitionIds(): readonly string[] {
    return this.#partitionIds
  }

  addPartitions(ids: readonly string[]): void {
    for (const id of ids) if (!this.#partitionIds.includes(id)) this.#partitionIds.push(id)
    for (const { watermark } of this.#stages.watermarks) watermark.addPartitions(this.#partitionIds.length)
  }

  async compute(plan: EpochPlan, records: readonly RangeRecords[]): Promise<EpochResults> {
    const { watermarks } = this.#stages
    const partitionCount = this.#partitionIds.length
    const before = watermarks.map(({ watermark }) => watermark.closeWatermarkMs)
    for (const { watermark } of watermarks) watermark.beginEpoch()
    const marks = this.#marks
    await this.#all((worker) => worker.ask({ kind: 'begin', plan, partitionCount, closeWatermarksMs: before, marks }))
    await this.#sendRecords(plan, records)
    const gathered = await this.#all((worker) => worker.ask({ kind: 'gather' }))
    this.#observe(gathered)
    for (const [index, { watermark }] of watermarks.entries()) watermark.finishEpoch(plan, index)
    const partials = await this.#handOver(await this.#closingKeys(), false)
    const closed = await this.#all((worker, owner) => {
      const own = partials[owner] as Uint8Array<ArrayBuffer>[]
      return worker.ask({ kind: 'close', epoch: plan.epoch, partials: own }, buffersOf(own))
    })
    const queries = this.queries.map((_, index) => this.#queryResults(index, gathered, closed))
    this.#note(closed)
    return {
      epoch: plan.epoch,
      rowsRead: sum(gathered.map(({ rowsRead }) => rowsRead)),
      queries,
      deadLetters: gathered
        .flatMap(({ deadLetters }) => deadLetters)
        .sort((left, right) => left.partition - right.partition || left.offset - right.offset),
      ledger: mergedLedger(gathered),
      watermarks: watermarks.map(({ watermark }) => watermark.mark()),
    }
  }

  async snapshot(): Promise<Uint8Array> {
    const partials = await this.#handOver([], true)
    const states = await this.#all((worker, owner) => {
      const own = partials[owner] as Uint8Array<ArrayBuffer>[]
      return worker.ask({ kind: 'snapshot', partials: own }, buffersOf(own))
    })
    const writer = new ByteWriter(sum(states.map(bytesIn)) + (1 << 16))
    writeHead(writer, this.#partitionIds)
    for (const { id, watermark } of this.#stages.watermarks) section(writer, id, (to) => watermark.snapshot(to))
    for (const [index, { id }] of this.#stages.dedupes.entries()) {
      const tables = this.#byPartition(states.map(({ ids }) => ids[index] as readonly Uint8Array[]))
      section(writer, id, (to) => writeTables(to, tables))
    }
    for (const [query, output] of this.#stages.outputs.entries()) {
      if (output instanceof SelectStage) continue
      section(writer, output.id, (to) => {
        to.varint(this.#lateRows[query] as number)
        for (const shard of ALL_SHARDS) {
          const owner = shard % this.#workers.length
          const place = Math.floor(shard / this.#workers.length)
          to.raw(states[owner]?.groups[query]?.[place] as Uint8Array)
        }
      })
    }
    return writer.view()
  }

  async restore(snapshot: Uint8Array): Promise<void> {
    const reader = new ByteReader(snapshot, 'the state in the snapshot')
    this.addPartitions(readHead(reader))
    for (const { id, watermark } of this.#stages.watermarks) watermark.restore(openSection(reader, id))
    const ids = this.#stages.dedupes.map(({ id }) => readTables(openSection(reader, id)))
    const byOwner: Uint8Array[][][] = this.#workers.map(() => this.queries.map(() => []))
    for (const [query, output] of this.#stages.outputs.entries()) {
      if (output instanceof SelectStage) continue
      const from = openSection(reader, output.id)
      this.#lateRows[query] = from.varint()
      for (let shard = 0; shard < SHARDS; shard++) {
        const bytes = new ByteWriter(256)
        bytes.bytes(from.bytes())
        byOwner[shard % this.#workers.length]?.[query]?.push(bytes.finish())
      }
    }
    assertAllRead(reader)
    const closeWatermarksMs = this.#stages.watermarks.map(({ watermark }) => watermark.closeWatermarkMs)
    const held = await this.#all((worker, owner) =>
      worker.ask({
        kind: 'restore',
        state: { groups: byOwner[owner] as Uint8Array[][], ids: this.#idsOf(owner, ids) },
        closeWatermarksMs,
      }),
    )
    this.#note(held)
  }

  status(): EngineStatus {
    return {
      watermarks: this.#stages.watermarks.map(({ id, watermark }) => watermark.status(id)),
      queries: this.#queryStatus,
      // A plan with a model runs in one thread.
      models: [],
      waitingRows: 0,
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()))
  }

  /** Of the tables that each worker has, for each partition that of its reader. */
  #byPartition(byWorker: readonly (readonly Uint8Array[])[]): Uint8Array[] {
    const count = Math.max(...byWorker.map(({ length }) => length))
    return Array.from(
      { length: count },
      (_, partition) => byWorker[partition % this.#workers.length]?.[partition] ?? NO_IDS,
    )
  }

  /** By dedupe: the tables of the partitions that a worker reads, with nothing in place of the others. */
  #idsOf(worker: number, ids: readonly (readonly Uint8Array[])[]): Uint8Array[][] {
    return ids.map((tables) =>
      tables.map((table, partition) => (partition % this.#workers.length === worker ? table : new Uint8Array(0))),
    )
  }

  #all<T>(ask: (worker: WorkerLink, owner: number) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#workers.map(ask))
  }

  /** By worker and query: keys of sessions that may close. */
  async #closingKeys(): Promise<(readonly (readonly Uint8Array[])[])[]> {
    if (!this.#bySession.includes(true)) return []
    const closeWatermarksMs = this.#closeWatermarks()
    const newestMs = this.#stages.watermarks.map(({ watermark }) => watermark.mark().maxEventTimeMs)
    return this.#all((worker) => worker.ask({ kind: 'closing-keys', closeWatermarksMs, newestMs }))
  }

  /** Lets each worker give what others own; gives what each is to take in. */
  async #handOver(
    keys: readonly (readonly (readonly Uint8Array[])[])[],
    all: boolean,
  ): Promise<Uint8Array<ArrayBuffer>[][]> {
    const closeWatermarksMs = this.#closeWatermarks()
    const shardsByOwner = this.#shardsByOwner
    const given = await this.#all((worker, index) => {
      const others = keys.filter((_, other) => other !== index)
      const closingKeys = this.queries.map((_, query) => others.flatMap((one) => one[query] ?? []))
      return worker.ask({ kind: 'hand-over', shardsByOwner, closeWatermarksMs, all, closingKeys })
    })
    return this.#workers.map((_, owner) =>
      given.map((parts) => parts[owner] as Uint8Array<ArrayBuffer>).filter((part) => part.length > 0),
    )
  }

  #closeWatermarks(): number[] {
    return this.#stages.watermarks.map(({ watermark }) => watermark.closeWatermarkMs)
  }

  async #sendRecords(plan: EpochPlan, records: readonly RangeRecords[]): Promise<void> {
    await Promise.all(
      plan.ranges.map(async (range, index) => {
        const worker = this.#workers[range.partition % this.#workers.length] as WorkerLink
        for await (const group of grouped(records[index] ?? [])) await worker.send(range, group)
      }),
    )
  }

  #observe(gathered: readonly WorkerGathered[]): void {
    for (const { observedMs } of gathered) {
      for (const [index, { watermark }] of this.#stages.watermarks.entries()) {
        for (const [partition, timeMs] of (observedMs[index] as Float64Array).entries()) {
          watermark.observe(partition, timeMs)
        }
      }
    }
  }

  #queryResults(
    query: number,
    gathered: readonly WorkerGathered[],
    closed: readonly (readonly WorkerClosed[])[],
  ): QueryResults {
    const output = this.queries[query] as QueryOutput
    const lateRows = sum(gathered.map((one) => one.lateRows[query] as number))
    this.#lateRows[query] = (this.#lateRows[query] as number) + lateRows
    if (this.#stages.outputs[query] instanceof SelectStage) {
      const parts = gathered.flatMap((one) =>
        (one.selected[query] ?? []).map((part) => ({ ...part, rows: fromPlain(part.rows as PlainBatch) })),
      )
      return { append: concatenated(parts, output.fields, this.#hashSeed), lateRows }
    }
    const inMode = (mode: OutputMode): QueryResults[OutputMode] => {
      const batches = closed.flatMap((one) => one[query]?.results[mode] ?? [])
      return batches.length > 0 ? mergeResults(batches, output, this.#hashSeed) : undefined
    }
    const [append, update, complete] = [inMode('append'), inMode('update'), inMode('complete')]
    return { ...(append && { append }), ...(update && { update }), ...(complete && { complete }), lateRows }
  }

  /** By worker and query. */
  #note(held: readonly (readonly WorkerHeld[])[]): void {
    this.#marks = this.queries.map((_, query) => held.flatMap((one) => one[query]?.marks ?? []))
    this.#queryStatus = this.queries.map(({ name }, query) => ({
      name,
      openWindows: mergedWindows(
        held.flatMap((one) => one[query]?.openWindows ?? []),
        this.#bySession[query] === true,
      ),
      stateRows: sum(held.map((one) => one[query]?.stateRows ?? 0)),
      lateRows: this.#lateRows[query] as number,
    }))
  }
}

/** Pieces together, so that there are fewer messages. */
async function* grouped(records: RangeRecords): AsyncGenerator<readonly EncodedRecords[]> {
  let group: EncodedRecords[] = []
  let bytes = 0
  for await (const piece of records) {
    group.push(piece)
    bytes += piece.bytes.length
    if (bytes < GROUP_BYTES) continue
    yield group
    group = []
    bytes = 0
  }
  if (group.length > 0) yield group
}

function buffersOf(parts: readonly Uint8Array<ArrayBuffer>[]): ArrayBuffer[] {
  return parts.map(({ buffer }) => buffer)
}

function mergedLedger(gathered: readonly WorkerGathered[]): LedgerEntry[] {
  // A partition is read by one worker, so no two have an entry in common.
  return gathered
    .flatMap(({ ledger }) => ledger)
    .map((entry, index) => ({ entry, index }))
    .sort((left, right) => left.entry.partition - right.entry.partition || left.index - right.index)
    .map(({ entry }) => entry)
}

/** The same windows of several owners, with their groups added up; all sessions together count as one. */
function mergedWindows(windows: readonly OpenWindow[], bySession: boolean): OpenWindow[] {
  const byBounds = new Map<string, OpenWindow>()
  for (const window of windows) {
    const key = bySession ? 'sessions' : `${window.startMs} ${window.endMs}`
    const known = byBounds.get(key) ?? { ...window, groups: 0 }
    byBounds.set(key, {
      startMs: Math.min(known.startMs, window.startMs),
      endMs: Math.max(known.endMs, window.endMs),
      groups: known.groups + window.groups,
    })
  }
  return [...byBounds.values()].sort((left, right) => left.startMs - right.startMs)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function bytesIn({ groups, ids }: WorkerState): number {
  return sum([...groups, ...ids].flat().map((bytes) => bytes.length))
}
