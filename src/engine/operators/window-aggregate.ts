import { assert } from '../../base/assert.ts'
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
import type { CloseContext, HandOver, Operator, OperatorResults, Selection, WindowBounds } from '../operator.ts'
import type { WindowGrid } from '../windows/window-grid.ts'
import { AggregateInputs } from './aggregate-inputs.ts'
import { OwnShards } from './own-shards.ts'
import type { Pane } from './pane.ts'
import { mergePanes, sharded, writePanes } from './pane-sections.ts'
import { PaneSplit } from './pane-split.ts'
import { Panes } from './panes.ts'
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
  /** Shards whose groups are kept here, when there are other owners. */
  readonly ownShards: readonly number[] | undefined
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
 *
 * Where shards have other owners, rows gather in panes of their own until a window that they are in is about to close; only then do
 * their groups go to where they belong. Who wants to see open windows gets them at the end of every epoch.
 */
export class WindowAggregate implements Operator {
  readonly #options: WindowAggregateOptions
  readonly #inputs: AggregateInputs
  readonly #keys: KeyTable
  readonly #own: OwnShards
  /** Groups of own shards. */
  readonly #panes: Panes
  /** Groups of all shards from rows that were read here; the same panes where there are no other owners. */
  readonly #gathered: Panes
  readonly #split: PaneSplit
  /** Somebody wants to see windows before they close. */
  readonly #showsOpen: boolean
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
    this.#showsOpen = options.modes.includes('update') || options.modes.includes('complete')
    this.#own = new OwnShards(this.#keys, options.ownShards)
    this.#panes = this.#newPanes()
    this.#gathered = this.#own.shared ? this.#newPanes() : this.#panes
    this.#split = new PaneSplit(grid, (startMs) => this.#gathered.at(startMs))
  }

  get stateRows(): number {
    return this.#groups
  }

  openFrom(lateWatermarkMs: number): number {
    const { grid, keepsClosed } = this.#options
    return keepsClosed ? Number.NEGATIVE_INFINITY : grid.openFrom(lateWatermarkMs)
  }

  openWindows(closeWatermarkMs: number): OpenWindow[] {
    const closedToMs = this.#options.keepsClosed ? Number.NEGATIVE_INFINITY : closeWatermarkMs
    const panes = this.#allPanes().sort((left, right) => left.startMs - right.startMs)
    // Later windows may still need the panes of some that have closed.
    const windows = this.#windows(panes, closedToMs, Number.POSITIVE_INFINITY)
    return [...windows].map(({ startMs, endMs, panes }) => ({
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

  handOver({ closeWatermarkMs, all, owners }: HandOver): void {
    const { grid } = this.#options
    const closes = ({ startMs }: Pane): boolean => grid.windowEnd(grid.firstWindow(startMs)) <= closeWatermarkMs
    const wanted = this.#gathered.sorted().filter((pane) => all || this.#showsOpen || closes(pane))
    const byShard = wanted.map((pane) => sharded(pane, this.#keys))
    for (const { shards, writer } of owners) writePanes(byShard, this.#keys, shards, writer, 'any')
    for (const pane of wanted) {
      this.#gathered.delete(pane)
      this.#add(pane)
    }
    this.#split.forget()
    this.#groups = this.#countGroups()
  }

  write(writer: ByteWriter, shards: readonly number[]): void {
    assert(!this.#own.shared || this.#gathered.size === 0, 'groups have been handed over')
    const panes = this.#panes.sorted().map((pane) => sharded(pane, this.#keys))
    writePanes(panes, this.#keys, shards, writer, 'canonical')
  }

  merge(reader: ByteReader, shardCount: number): void {
    // What the running window has taken in has to be told what comes; into all else groups are merged at once.
    const arrived = this.#newPanes()
    const paneOf = (startMs: number): Pane => (this.#running?.has(startMs) ? arrived : this.#panes).at(startMs)
    mergePanes(reader, shardCount, this.#keys, this.#options.grid, paneOf)
    for (const pane of arrived.all()) this.#add(pane)
    this.#groups = this.#countGroups()
    if (this.#groups > this.#options.groupsMax) throw tooManyGroups(this.#options)
  }

  restore(reader: ByteReader, shardCount: number): void {
    this.merge(reader, shardCount)
    for (const pane of this.#panes.all()) pane.clearChanges()
  }

  close(context: CloseContext): OperatorResults {
    const { epoch, lateWatermarkMs, closeWatermarkMs } = this.#options.keepsClosed ? neverClosing(context) : context
    const output = new WindowOutput(this.#options, this.#keys, epoch)
    for (const window of this.#windows(this.#panes.sorted(), lateWatermarkMs, Number.POSITIVE_INFINITY)) {
      if (window.endMs <= closeWatermarkMs) output.closed(window, this.#closedView(window.panes))
      else if (output.wantsOpen(window)) output.open(window, this.#openView(window.panes, output.wantsAllGroups))
    }
    this.#dropPanes(closeWatermarkMs)
    for (const pane of this.#panes.all()) pane.clearChanges()
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
    if (!this.#own.shared && this.#running?.has(pane.startMs)) {
      this.#running.rowsArrived(pane, ids, sizeBefore, taken)
    }
    pane.clearRows()
  }

  #newPanes(): Panes {
    return new Panes(() => this.#inputs.newStates(), this.#showsOpen)
  }

  /** Adds the groups of own shards that were gathered in a pane. */
  #add(gathered: Pane): void {
    const from = gathered.slotsOf((keyId) => this.#own.has(keyId))
    if (from.length === 0) return
    if (from.length === gathered.size && !this.#panes.has(gathered.startMs)) {
      this.#panes.put(gathered)
      return
    }
    const pane = this.#panes.at(gathered.startMs)
    const sizeBefore = pane.size
    pane.fold(gathered, from)
    if (this.#running?.has(pane.startMs)) this.#running.groupsArrived(pane, sizeBefore, gathered, from)
  }

  #allPanes(): Pane[] {
    return this.#own.shared ? [...this.#panes.all(), ...this.#gathered.all()] : [...this.#panes.all()]
  }

  #countGroups(): number {
    return this.#own.shared ? this.#panes.groups + this.#gathered.groups : this.#panes.groups
  }

  /** Windows with something in them, oldest first, that end behind one watermark and at or before another. */
  *#windows(
    panes: readonly Pane[],
    afterMs: number,
    upToMs: number,
  ): Generator<WindowBounds & { readonly panes: readonly Pane[] }> {
    const { grid } = this.#options
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
    for (const pane of [...this.#panes.all()]) {
      if (grid.windowEnd(grid.lastWindow(pane.startMs)) > closeWatermarkMs) continue
      this.#panes.delete(pane)
      this.#groups -= pane.size
    }
    this.#split.forget()
  }

  #letGoOfKeys(): void {
    const panes = this.#allPanes()
    this.#keys.forget(this.#groups, (newId) => {
      for (const pane of panes) pane.slots.renumber(newId)
      this.#running = undefined
    })
    for (const [index, aggregator] of this.#inputs.aggregators.entries()) {
      const forgot = aggregator.forget?.(panes.map((pane) => pane.states[index] as AggregateState))
      if (forgot) this.#running = undefined
    }
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
