import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { MillraceError } from '../../base/error.ts'
import type { Batch } from '../../batch/batch.ts'
import { type Field, fieldIndex } from '../../batch/schema.ts'
import type { OutputMode } from '../../plan/connectors.ts'
import type { AggregateNode } from '../../plan/node.ts'
import type { AggregateState } from '../aggregates/aggregate.ts'
import type { OpenWindow } from '../engine.ts'
import { timesOf } from '../event-times.ts'
import { type HashKey, KeyTable } from '../keys/key-table.ts'
import type { CloseContext, GroupOrder, Operator, OperatorResults, Selection, WindowBounds } from '../operator.ts'
import type { WindowGrid } from '../windows/window-grid.ts'
import { AggregateInputs } from './aggregate-inputs.ts'
import { Pane } from './pane.ts'
import { mergePanes, writePanes } from './pane-sections.ts'
import { PaneSplit } from './pane-split.ts'
import { RunningWindow } from './running-window.ts'
import { WindowOutput, type WindowView } from './window-output.ts'
import { changedKeys, foldedView, paneView } from './window-view.ts'

/** What the operator is made for. */
export interface WindowAggregateOptions {
  readonly query: string
  readonly node: AggregateNode
  readonly grid: WindowGrid
  /** Columns of the batches. */
  readonly fields: readonly Field[]
  /** Columns of the result: window bounds (none for one window over all time), keys, aggregates. */
  readonly resultFields: readonly Field[]
  readonly eventTimeIndex: number
  readonly modes: readonly OutputMode[]
  readonly spark: boolean
  /** Windows go on after their end: nothing is late, nothing goes. */
  readonly keepsClosed: boolean
  readonly groupsMax: number
  readonly hashKey: HashKey
}

/**
 * Aggregates per window and group, for windows that a grid cuts. A row goes to the pane that its time lies in, there to the slot of its
 * key, and every aggregate keeps its values by slot. Keys are interned once for all panes.
 *
 *   panes     00:00           00:01           00:02
 *             | key -> slot   | key -> slot   |        states by slot: count, sum, ...
 *   windows   |-------------------------------|        from one pane, or from several that are run together
 */
export class WindowAggregate implements Operator {
  readonly #options: WindowAggregateOptions
  readonly #inputs: AggregateInputs
  readonly #keys: KeyTable
  readonly #panes = new Map<number, Pane>()
  readonly #split: PaneSplit
  #running: RunningWindow | undefined
  #groups = 0
  #slots = new Int32Array(1024)

  constructor(options: WindowAggregateOptions) {
    this.#options = options
    const { node, fields, hashKey, grid } = options
    this.#keys = new KeyTable(
      node.keys.map((key) => fieldIndex({ fields }, key)),
      hashKey,
    )
    this.#inputs = new AggregateInputs(node, options)
    this.#split = new PaneSplit(grid, (startMs) => this.#pane(startMs))
  }

  get stateRows(): number {
    return this.#groups
  }

  openFrom(lateWatermarkMs: number): number {
    const { grid, keepsClosed } = this.#options
    return keepsClosed ? Number.NEGATIVE_INFINITY : grid.openFrom(lateWatermarkMs)
  }

  openWindows(): OpenWindow[] {
    const all = Number.POSITIVE_INFINITY
    return [...this.#windows(Number.NEGATIVE_INFINITY, all)].map(({ startMs, endMs, panes }) => ({
      startMs,
      endMs,
      groups: Math.max(...panes.map((pane) => pane.size)),
    }))
  }

  missedWindows(timeMs: number, lateWatermarkMs: number): WindowBounds[] {
    const { grid } = this.#options
    const missed: WindowBounds[] = []
    const paneMs = grid.paneAt(timeMs)
    const lastMs = grid.lastWindow(paneMs)
    for (let startMs = grid.firstWindow(paneMs); startMs <= lastMs; startMs = grid.nextWindow(startMs)) {
      const endMs = grid.windowEnd(startMs)
      if (endMs > lateWatermarkMs) break
      missed.push({ startMs, endMs })
    }
    return missed
  }

  shardsOf(batch: Batch, { rows, count }: Selection): Uint8Array {
    return this.#keys.shardsOf(batch, rows, count)
  }

  processBatch(batch: Batch, selection: Selection): void {
    const { rows, count } = selection
    if (count === 0) return
    const ids = this.#keys.of(batch, rows, count)
    this.#inputs.begin(batch, selection)
    if (this.#slots.length < count) this.#slots = new Int32Array(count * 2)
    for (const pane of this.#split.of(timesOf(batch, this.#options.eventTimeIndex), rows, count))
      this.#toPane(pane, ids)
    if (this.#groups > this.#options.groupsMax) throw tooManyGroups(this.#options)
  }

  write(writer: ByteWriter, shards: readonly number[], order: GroupOrder = 'canonical'): void {
    writePanes(this.#sortedPanes(), this.#keys, shards, writer, order)
  }

  merge(reader: ByteReader, shardCount: number): void {
    this.#running = undefined
    mergePanes(reader, shardCount, this.#keys, this.#options.grid, (startMs) => this.#pane(startMs))
    this.#groups = this.#sortedPanes().reduce((sum, pane) => sum + pane.size, 0)
    if (this.#groups > this.#options.groupsMax) throw tooManyGroups(this.#options)
  }

  restore(reader: ByteReader, shardCount: number): void {
    this.merge(reader, shardCount)
    for (const pane of this.#panes.values()) pane.clearChanges()
  }

  clear(): void {
    this.#panes.clear()
    this.#split.forget()
    this.#running = undefined
    this.#groups = 0
    this.#letGoOfKeys()
  }

  close(context: CloseContext): OperatorResults {
    const { epoch, lateWatermarkMs, closeWatermarkMs } = this.#options.keepsClosed ? neverClosing(context) : context
    const output = new WindowOutput(this.#options, this.#keys, epoch)
    for (const window of this.#windows(lateWatermarkMs, Number.POSITIVE_INFINITY)) {
      if (window.endMs <= closeWatermarkMs) output.closed(window, this.#closedView(window.panes))
      else if (output.wantsOpen(window)) output.open(window, this.#openView(window.panes, output.wantsAllGroups))
    }
    this.#dropPanes(closeWatermarkMs)
    for (const pane of this.#panes.values()) pane.clearChanges()
    this.#letGoOfKeys()
    return output.finish()
  }

  #toPane(pane: Pane, ids: Int32Array): void {
    const { rows, rowCount } = pane
    const sizeBefore = pane.size
    pane.slots.assign(ids, rows, 0, rowCount, this.#slots)
    this.#groups += pane.size - sizeBefore
    pane.grow()
    const taken = this.#inputs.update(pane.states, rows, this.#slots, rowCount)
    pane.markChanged(this.#slots, rowCount)
    if (this.#running?.has(pane.startMs)) this.#running.rowsArrived(pane, ids, sizeBefore, taken)
    pane.clearRows()
  }

  #pane(startMs: number): Pane {
    let pane = this.#panes.get(startMs)
    if (!pane) {
      const { modes } = this.#options
      pane = new Pane(startMs, this.#inputs.newStates(), modes.includes('update') || modes.includes('complete'))
      this.#panes.set(startMs, pane)
    }
    return pane
  }

  /** Windows with something in them, oldest first, that end behind one watermark and at or before another. */
  *#windows(afterMs: number, upToMs: number): Generator<WindowBounds & { readonly panes: readonly Pane[] }> {
    const { grid } = this.#options
    const panes = this.#sortedPanes()
    let nextMs = Number.NEGATIVE_INFINITY
    let oldest = 0
    for (const pane of panes) {
      const firstOpenMs = grid.openFrom(afterMs)
      const lastMs = grid.lastWindow(pane.startMs)
      let startMs = Math.max(grid.firstWindow(pane.startMs), nextMs, firstOpenMs)
      for (; startMs <= lastMs; startMs = grid.nextWindow(startMs)) {
        const endMs = grid.windowEnd(startMs)
        if (endMs > upToMs) return
        while ((panes[oldest] as Pane).startMs < startMs) oldest++
        let end = oldest
        while (end < panes.length && (panes[end] as Pane).startMs < endMs) end++
        yield { startMs, endMs, panes: panes.slice(oldest, end) }
      }
      nextMs = Math.max(nextMs, startMs)
    }
  }

  #closedView(panes: readonly Pane[]): WindowView {
    if (this.#options.grid.single) return paneView(panes[0] as Pane, this.#keys)
    if (this.#running?.worn) this.#running = undefined
    this.#running ??= new RunningWindow(this.#keys, this.#inputs.aggregators)
    const running = this.#running
    running.moveTo(panes)
    return {
      slots: running.sortedSlots(),
      keyId: (slot) => running.keyId(slot),
      states: running.results(),
      changed: changedKeys(panes),
    }
  }

  /** A window that is still open: from its pane, or folded together from several, all groups or those that changed. */
  #openView(panes: readonly Pane[], allGroups: boolean): WindowView {
    if (panes.length === 1) return paneView(panes[0] as Pane, this.#keys)
    return foldedView(panes, this.#keys, this.#inputs, allGroups)
  }

  /** Panes whose last window has closed. */
  #dropPanes(closeWatermarkMs: number): void {
    const { grid } = this.#options
    for (const pane of [...this.#panes.values()]) {
      if (grid.windowEnd(grid.lastWindow(pane.startMs)) > closeWatermarkMs) continue
      this.#panes.delete(pane.startMs)
      this.#groups -= pane.size
    }
    this.#split.forget()
  }

  #letGoOfKeys(): void {
    const panes = this.#sortedPanes()
    this.#keys.forget(this.#groups, (newId) => {
      for (const pane of panes) pane.slots.renumber(newId)
      this.#running = undefined
    })
    for (const [index, aggregator] of this.#inputs.aggregators.entries()) {
      const forgot = aggregator.forget?.(panes.map((pane) => pane.states[index] as AggregateState))
      if (forgot) this.#running = undefined
    }
  }

  #sortedPanes(): Pane[] {
    return [...this.#panes.values()].sort((left, right) => left.startMs - right.startMs)
  }
}

/** The end of the input alone closes anything. */
function neverClosing({ epoch, closeWatermarkMs }: CloseContext): CloseContext {
  const never = Number.NEGATIVE_INFINITY
  return {
    epoch,
    lateWatermarkMs: never,
    closeWatermarkMs: closeWatermarkMs === Number.POSITIVE_INFINITY ? closeWatermarkMs : never,
  }
}

/** Where a query with too many groups ends, and what to do about it. */
function tooManyGroups({ query, groupsMax }: WindowAggregateOptions): MillraceError {
  return new MillraceError(
    'unsupported',
    `the query "${query}" holds more than ${groupsMax} groups in its open windows`,
    {
      hint: 'use smaller windows, a shorter watermark delay, or group by a coarser column',
    },
  )
}
