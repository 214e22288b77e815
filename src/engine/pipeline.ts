import { assert } from '../base/assert.ts'
import { ByteReader, ByteWriter } from '../base/bytes.ts'
import { MillraceError } from '../base/error.ts'
import { type Batch, RowStatus } from '../batch/batch.ts'
import type { Field } from '../batch/schema.ts'
import type { OutputMode } from '../plan/connectors.ts'
import type { PipelinePlan, QueryPlan, WatermarkNode } from '../plan/node.ts'
import { queryChain } from '../plan/query-chain.ts'
import { keyColumns, resultFields } from '../plan/result-schema.ts'
import { Branch, type BranchQuery } from './branch.ts'
import type { Engine, EngineOptions, EngineStatus, QueryOutput, QueryStatus } from './engine.ts'
import type { EpochPlan, EpochResults, QueryResults } from './epoch.ts'
import { decoderRefusal, FateCode, Ledger, type Refusal } from './ledger.ts'
import { WindowAggregate } from './operators/window-aggregate.ts'
import { compilePredicate } from './predicate.ts'
import { selectedFields } from './selected-fields.ts'
import { Validator } from './validate.ts'
import { Watermark } from './watermark.ts'

/** Version of the engine's part of a snapshot. */
const STATE_VERSION = 1

/** Compiles a checked plan. */
export function createEngine(plan: PipelinePlan, options: EngineOptions): Engine {
  return new PipelineEngine(plan, options)
}

class PipelineEngine implements Engine {
  readonly fields: readonly Field[]
  readonly queries: readonly QueryOutput[]
  readonly watermarkIds: readonly string[]
  readonly #partitionIds: string[] = []
  readonly #validator: Validator
  readonly #branches: readonly Branch[]
  /** In the order of the plan's queries. */
  readonly #branchQueries: readonly BranchQuery[]
  #plan: EpochPlan | undefined
  #ledger = new Ledger()
  #lateRowsBefore: number[] = []
  #fates = new Uint8Array(1024)
  #valid = new Int32Array(1024)

  constructor(plan: PipelinePlan, options: EngineOptions) {
    const source = plan.queries[0] && queryChain(plan.queries[0].root).source
    assert(source, 'the plan was checked: it has a query')
    this.fields = selectedFields(plan)
    this.#validator = new Validator(this.fields, source.rules)
    this.queries = plan.queries.map((query) => queryOutput(query, options.extraModes))
    const compiled = compileBranches(plan, this.fields, this.queries, options)
    this.#branches = compiled.branches
    this.#branchQueries = compiled.queries
    this.watermarkIds = this.#branches.map((branch) => branch.id)
  }

  get partitionIds(): readonly string[] {
    return this.#partitionIds
  }

  addPartitions(ids: readonly string[]): void {
    assert(!this.#plan, 'partitions are added between epochs')
    for (const id of ids) if (!this.#partitionIds.includes(id)) this.#partitionIds.push(id)
    for (const { watermark } of this.#branches) watermark.addPartitions(this.#partitionIds.length)
  }

  beginEpoch(plan: EpochPlan): void {
    assert(!this.#plan, 'one epoch at a time')
    this.#plan = plan
    this.#ledger = new Ledger()
    this.#lateRowsBefore = this.#branchQueries.map((query) => query.lateRows)
    for (const { watermark } of this.#branches) watermark.beginEpoch()
  }

  processBatch(partition: number, batch: Batch): void {
    assert(this.#plan, 'rows belong to an epoch')
    const rowCount = batch.rowCount
    if (rowCount === 0) return
    if (this.#fates.length < rowCount) {
      this.#fates = new Uint8Array(rowCount * 2)
      this.#valid = new Int32Array(rowCount * 2)
    }
    const fates = this.#fates
    const broken = this.#validator.check(batch)
    let valid = 0
    for (let row = 0; row < rowCount; row++) {
      const status = batch.status[row] as number
      if (status === RowStatus.fine && broken[row] === 0) {
        fates[row] = FateCode.filtered
        this.#valid[valid++] = row
      } else {
        fates[row] = status === RowStatus.malformed ? FateCode.malformed : FateCode.invalid
      }
    }
    const selection = { rows: this.#valid, count: valid }
    for (const branch of this.#branches) branch.process(partition, batch, fates, selection, this.#plan.clockMs)
    this.#ledger.record(partition, batch, fates, (row) =>
      this.#refusal(batch, row, fates[row] as number, broken[row] as number),
    )
  }

  endEpoch(): EpochResults {
    const plan = this.#plan
    assert(plan, 'an epoch ends that has begun')
    for (const [index, { watermark }] of this.#branches.entries()) watermark.finishEpoch(plan, index)
    const queries = this.#branchQueries.map((query, index): QueryResults => {
      const branch = this.#branches.find((one) => one.queries.includes(query)) as Branch
      const rows = query.operator.close({ epoch: plan.epoch, closeWatermarkMs: branch.watermark.closeWatermarkMs })
      return { ...rows, lateRows: query.lateRows - (this.#lateRowsBefore[index] as number) }
    })
    this.#plan = undefined
    return {
      epoch: plan.epoch,
      rowsRead: this.#ledger.rowsRead,
      queries,
      deadLetters: this.#ledger.deadLetters,
      ledger: this.#ledger.entries(),
      watermarks: this.#branches.map(({ watermark }) => watermark.mark()),
    }
  }

  snapshot(): Uint8Array {
    assert(!this.#plan, 'state is saved between epochs')
    const writer = new ByteWriter(1 << 16)
    writer.varint(STATE_VERSION)
    writer.varint(this.#partitionIds.length)
    for (const id of this.#partitionIds) writer.text(id)
    for (const { id, watermark } of this.#branches) section(writer, id, (to) => watermark.snapshot(to))
    for (const query of this.#branchQueries) {
      section(writer, `${query.name}/aggregate`, (to) => {
        to.varint(query.lateRows)
        query.operator.snapshot(to)
      })
    }
    return writer.finish()
  }

  restore(snapshot: Uint8Array): void {
    const reader = new ByteReader(snapshot, 'the state in the snapshot')
    const version = reader.varint()
    if (version !== STATE_VERSION) throw misfit(`it has version ${version}, this version reads ${STATE_VERSION}`)
    const ids: string[] = []
    for (let count = reader.varint(); count > 0; count--) ids.push(reader.text())
    this.addPartitions(ids)
    for (const { id, watermark } of this.#branches) watermark.restore(openSection(reader, id))
    for (const query of this.#branchQueries) {
      const from = openSection(reader, `${query.name}/aggregate`)
      query.lateRows = from.varint()
      query.operator.restore(from)
    }
    if (reader.remaining > 0) throw misfit('it holds more than this pipeline has')
  }

  status(): EngineStatus {
    return {
      watermarks: this.#branches.map(({ id, watermark }) => watermark.status(id)),
      queries: this.#branchQueries.map(
        (query): QueryStatus => ({
          name: query.name,
          openWindows: query.operator.openWindows(),
          stateRows: query.operator.stateRows,
          lateRows: query.lateRows,
        }),
      ),
    }
  }

  #refusal(batch: Batch, row: number, fate: number, brokenRule: number): Refusal {
    const watermarkMs = Math.min(...this.#branches.map(({ watermark }) => watermark.lateWatermarkMs))
    const plain = { rule: '', watermarkMs, windowsMissed: [] }
    if (batch.status[row] !== RowStatus.fine) return { ...plain, ...decoderRefusal(batch, row) }
    const rule = this.#validator.rules[brokenRule - 1]
    if (rule) return { ...plain, rule: rule.name, reason: rule.reason }
    if (fate === FateCode.future) return { ...plain, reason: 'stamped too far ahead of its arrival' }
    if (fate === FateCode.expired) return { ...plain, reason: 'older than the age that is accepted' }
    const windowsMissed = this.#branches.flatMap((branch) => branch.missedWindows(batch, row))
    return { ...plain, reason: 'every window that it belongs to has closed', windowsMissed }
  }
}

/** Queries with the same watermark over the same filters share it. */
function compileBranches(
  plan: PipelinePlan,
  fields: readonly Field[],
  outputs: readonly QueryOutput[],
  options: EngineOptions,
): { branches: Branch[]; queries: BranchQuery[] } {
  const groups = new Map<string, { id: string; node: WatermarkNode; queries: BranchQuery[] }>()
  const queries: BranchQuery[] = []
  for (const [index, query] of plan.queries.entries()) {
    const { watermark: node, filtersAfter, aggregate } = queryChain(query.root)
    assert(node && aggregate, 'the plan was checked: a query has a watermark and an aggregate')
    const output = outputs[index] as QueryOutput
    const compiled: BranchQuery = {
      name: query.name,
      filters: filtersAfter.map((predicate) => compilePredicate(predicate, fields)),
      windowSizeMs: aggregate.window.sizeMs,
      operator: new WindowAggregate({
        query: query.name,
        node: aggregate,
        fields,
        resultFields: output.fields,
        eventTimeIndex: fields.findIndex((field) => field.name === node.column),
        modes: output.modes,
        groupsMax: options.groupsMax,
        seed: options.hashKey[0],
      }),
      lateRows: 0,
    }
    queries.push(compiled)
    const key = JSON.stringify(node)
    const group = groups.get(key)
    if (group) group.queries.push(compiled)
    else groups.set(key, { id: `${query.name}/watermark`, node, queries: [compiled] })
  }
  const branches = [...groups.values()].map(({ id, node, queries: own }) => {
    const { filtersBefore } = queryChain(node)
    const filters = filtersBefore.length > 0 ? filtersBefore : []
    const watermark = new Watermark(node, options.advanceWhenIdle)
    return new Branch(
      id,
      node,
      watermark,
      filters.map((predicate) => compilePredicate(predicate, fields)),
      own,
      fields,
    )
  })
  return { branches, queries }
}

function queryOutput(query: QueryPlan, extraModes: readonly OutputMode[]): QueryOutput {
  const modes = new Set<OutputMode>(extraModes)
  for (const sink of query.sinks) modes.add('mode' in sink ? sink.mode : 'append')
  if (modes.size === 0) modes.add('append')
  const order: readonly OutputMode[] = ['append', 'update', 'complete']
  return {
    name: query.name,
    fields: resultFields(query),
    keyColumns: keyColumns(query),
    modes: order.filter((mode) => modes.has(mode)),
  }
}

function section(writer: ByteWriter, id: string, write: (to: ByteWriter) => void): void {
  const part = new ByteWriter(1 << 12)
  write(part)
  writer.text(id)
  writer.bytes(part.view())
}

function openSection(reader: ByteReader, id: string): ByteReader {
  const found = reader.text()
  if (found !== id) throw misfit(`it has "${found}" where this pipeline has "${id}"`)
  return new ByteReader(reader.bytes(), `the state of ${id}`)
}

function misfit(detail: string): MillraceError {
  return new MillraceError('incompatible-state', `the saved state does not fit the pipeline: ${detail}`, {
    hint: 'start over with another --checkpoint folder and another --output',
  })
}
