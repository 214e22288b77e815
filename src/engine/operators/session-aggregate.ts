import { assert } from '../../base/assert.ts'
import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { MillraceError } from '../../base/error.ts'
import type { Batch } from '../../batch/batch.ts'
import { type Field, fieldIndex } from '../../batch/schema.ts'
import type { OutputMode } from '../../plan/connectors.ts'
import type { AggregateNode } from '../../plan/node.ts'
import type { SessionWindow } from '../../plan/window.ts'
import type { AggregateState } from '../aggregates/aggregate.ts'
import type { OpenWindow } from '../engine.ts'
import { timesOf } from '../event-times.ts'
import { type HashKey, KeyTable } from '../keys/key-table.ts'
import type { CloseContext, HandOver, Operator, OperatorResults, Selection, WindowBounds } from '../operator.ts'
import { AggregateInputs } from './aggregate-inputs.ts'
import { OwnShards } from './own-shards.ts'
import { SessionEnds } from './session-ends.ts'
import { SessionFolds } from './session-folds.ts'
import { SessionOutput } from './session-output.ts'
import { readMarks, readSessions, slotsByShard, writeMarks, writeSessions } from './session-sections.ts'
import { SessionTable } from './session-table.ts'

/** What the operator is made for. */
export interface SessionAggregateOptions {
  readonly query: string
  readonly node: AggregateNode
  readonly window: SessionWindow
  /** Columns of the batches. */
  readonly fields: readonly Field[]
  /** Columns of the result: start, last event, duration, keys, aggregates. */
  readonly resultFields: readonly Field[]
  readonly eventTimeIndex: number
  readonly modes: readonly OutputMode[]
  /** Shards whose sessions are kept here, when there are other owners. */
  readonly ownShards: readonly number[] | undefined
  /** Spark takes a row as late only when it could not even touch a closed session. */
  readonly spark: boolean
  readonly groupsMax: number
  readonly hashKey: HashKey
}

/**
 * Aggregates per session and key. A row extends its key's session, begins one, or joins two; what is gathered in any order, in any pieces,
 * comes together to the same sessions.
 *
 *   events       x  x x      x          x   x
 *   gap            |----|   |----|         |----|
 *   sessions     |------|   |           |---|           closed when last event + gap is behind the watermark
 *
 * Where shards have other owners, a session stays with the worker that reads its rows until the watermark may close it; its owner then
 * gets it, and what any other worker has of the same key. Where sessions are shown before they close, or end by an event or a number of
 * events, they go to their owners at the end of every epoch.
 */
export class SessionAggregate implements Operator {
  readonly #options: SessionAggregateOptions
  readonly #inputs: AggregateInputs
  readonly #keys: KeyTable
  readonly #own: OwnShards
  readonly #ends: SessionEnds
  readonly #update: boolean
  /** Sessions are wanted at their owners before their gap is over. */
  readonly #wantedOpen: boolean
  readonly #table: SessionTable
  readonly #states: AggregateState[]
  /** Keys of other owners, who may have to close sessions of theirs. */
  #closingElsewhere: readonly number[] = []
  /** Update mode: sessions that something came for in this epoch. */
  #changed = new Set<number>()
  /** Update mode: sessions that were shown and are there no more, as key id and start. */
  #vanished: { readonly keyId: number; readonly startMs: number }[] = []
  /** Sessions that were closed early and are kept as marks. */
  #marks = 0
  /** Those of them that others have not been told of. */
  #newMarks: number[] = []
  /** Marks that others have told of: rows are judged by them here, and nothing else. */
  readonly #heard: SessionTable
  #slots = new Int32Array(1024)
  readonly #folds = new SessionFolds()

  constructor(options: SessionAggregateOptions) {
    this.#options = options
    const { node, fields, hashKey, window } = options
    this.#keys = new KeyTable(
      node.keys.map((key) => fieldIndex({ fields }, key)),
      hashKey,
    )
    this.#inputs = new AggregateInputs(node, options)
    this.#own = new OwnShards(this.#keys, options.ownShards)
    this.#table = new SessionTable(window.gapMs, window.durationMaxMs ?? Number.POSITIVE_INFINITY, this.#own.shared)
    this.#ends = new SessionEnds(window, this.#table, fields)
    this.#update = options.modes.includes('update')
    this.#wantedOpen = this.#update || options.modes.includes('complete') || this.#ends.countsOrListens
    this.#heard = new SessionTable(window.gapMs, Number.POSITIVE_INFINITY, false)
    this.#states = this.#inputs.newStates()
  }

  get stateRows(): number {
    return this.#table.size
  }

  openFrom(lateWatermarkMs: number): number {
    const { spark, window } = this.#options
    return lateWatermarkMs - (spark ? window.gapMs : 0) + 1
  }

  openWindows(): OpenWindow[] {
    const groups = this.#table.size - this.#marks
    if (groups === 0) return []
    const [startMs, lastMs] = this.#table.bounds()
    return [{ startMs, endMs: lastMs + this.#table.gapMs, groups }]
  }

  missedWindows(timeMs: number): WindowBounds[] {
    return [{ startMs: timeMs, endMs: timeMs + this.#table.gapMs }]
  }

  closesEarly(): boolean {
    return this.#marks > 0 || this.#heard.size > 0
  }

  refuseClosed(batch: Batch, rows: Int32Array, count: number, refuse: (row: number) => void): number {
    const ids = this.#keys.of(batch, rows, count)
    const times = timesOf(batch, this.#options.eventTimeIndex)
    let kept = 0
    for (let index = 0; index < count; index++) {
      const row = rows[index] as number
      if (this.#inMark(ids[row] as number, times[row] as number)) refuse(row)
      else rows[kept++] = row
    }
    return kept
  }

  processBatch(batch: Batch, selection: Selection): void {
    const { rows, count } = selection
    if (count === 0) return
    const ids = this.#keys.of(batch, rows, count)
    this.#inputs.begin(batch, selection)
    this.#ends.begin(batch)
    if (this.#slots.length < count) this.#slots = new Int32Array(count * 2)
    const times = timesOf(batch, this.#options.eventTimeIndex)
    // Before two sessions become one, the rows that go to them must have arrived there.
    let flushed = 0
    for (let index = 0; index < count; index++) {
      index = this.#table.extendOnly(ids, times, rows, index, count, this.#slots)
      if (index === count) break
      const row = rows[index] as number
      const timeMs = times[row] as number
      const near = this.#table.neighbours(ids[row] as number, timeMs, timeMs)
      if (near.length > 1) {
        this.#takeIn(times, rows, flushed, index)
        flushed = index
      }
      const slot = this.#join(near) ?? this.#begin(ids[row] as number, timeMs)
      this.#table.extend(slot, timeMs, timeMs)
      this.#slots[index] = slot
    }
    this.#takeIn(times, rows, flushed, count)
    if (this.#table.size > this.#options.groupsMax) throw tooManySessions(this.#options)
  }

  writeNewMarks(writer: ByteWriter): boolean {
    const marks = this.#newMarks
    writeMarks(this.#table, this.#keys, marks, writer)
    this.#newMarks = []
    return marks.length > 0
  }

  hearOfMarks(readers: readonly ByteReader[], lateWatermarkMs: number): void {
    const heard = this.#heard
    for (const slot of heard.timers.due(lateWatermarkMs, (one) => heard.lastMs(one) + heard.gapMs)) heard.remove(slot)
    for (const reader of readers) readMarks(reader, heard, this.#keys)
  }

  writeClosingKeys(writer: ByteWriter, closeWatermarkMs: number, newestMs: number): boolean {
    if (this.#wantedOpen) return false
    const { keyIds } = this.#table
    const closing = new Set<number>()
    for (const slot of this.#table.mayClose(closeWatermarkMs, newestMs)) closing.add(keyIds[slot] as number)
    this.#closingElsewhere = [...closing].filter((keyId) => !this.#own.has(keyId))
    writer.varint(closing.size)
    for (const keyId of closing) this.#keys.write(keyId, writer)
    return closing.size > 0
  }

  handOver({ all, closingKeys, owners }: HandOver): void {
    const table = this.#table
    const isOther = (slot: number): boolean => !this.#own.has(table.keyIds[slot] as number)
    const wanted = new Set(all || this.#wantedOpen ? table.slots().filter(isOther) : [])
    // Others may have what joins two sessions that are apart here, so all of a key go.
    for (const keyId of this.#closingElsewhere) for (const slot of table.ofKey(keyId)) wanted.add(slot)
    for (const slot of this.#slotsOf(closingKeys)) if (isOther(slot)) wanted.add(slot)
    this.#closingElsewhere = []
    const byShard = slotsByShard(wanted, table, this.#keys)
    for (const { shards, writer } of owners) {
      writeSessions(table, byShard, this.#states, this.#keys, shards, writer, 'any')
    }
    for (const slot of wanted) {
      this.#changed.delete(slot)
      this.#ends.forget(slot)
      this.#free(slot)
    }
  }

  write(writer: ByteWriter, shards: readonly number[]): void {
    const slots = this.#table.slots()
    assert(
      slots.every((slot) => this.#own.has(this.#table.keyIds[slot] as number)),
      'sessions have been handed over',
    )
    const byShard = slotsByShard(slots, this.#table, this.#keys)
    writeSessions(this.#table, byShard, this.#states, this.#keys, shards, writer, 'canonical')
  }

  merge(reader: ByteReader, shardCount: number): void {
    for (let shard = 0; shard < shardCount; shard++) {
      // Each comes in as a session of its own; only then are those that belong together joined.
      const slots = readSessions(reader.section(), this.#table, this.#states, this.#keys)
      for (const slot of slots) {
        if (this.#table.marks[slot] === 1) this.#noteMark(slot)
        this.#touched(this.#table.marks[slot] === 1 ? this.#link(slot) : this.#settle(slot))
      }
      this.#applyFolds()
    }
    if (this.#table.size > this.#options.groupsMax) throw tooManySessions(this.#options)
  }

  restore(reader: ByteReader, shardCount: number): void {
    this.merge(reader, shardCount)
    this.#changed.clear()
  }

  close({ epoch, closeWatermarkMs }: CloseContext): OperatorResults {
    const table = this.#table
    this.#newMarks = []
    const due = table.timers.due(closeWatermarkMs, (slot) => table.lastMs(slot) + table.gapMs)
    const early = this.#ends.take(due)
    const closing = (this.#marks === 0 ? due : due.filter((slot) => table.marks[slot] === 0)).concat(early)
    const output = new SessionOutput(this.#options, this.#keys, table, this.#states, epoch)
    output.closed(closing)
    if (this.#update) this.#showChanges(output, new Set(closing))
    if (this.#options.modes.includes('complete')) output.all(this.#openSlots())
    const results = output.finish()
    for (const slot of due) this.#free(slot)
    for (const slot of early) this.#leaveMark(slot)
    this.#letGoOfKeys()
    return results
  }

  /** Rows from the batch go to the states of the sessions that they were assigned to. */
  #takeIn(times: Float64Array, rows: Int32Array, from: number, to: number): void {
    if (from === to) return
    for (const state of this.#states) state.grow(this.#table.slotCount)
    const own = rows.subarray(from, to)
    const slots = this.#slots.subarray(from, to)
    this.#inputs.update(this.#states, own, slots, own.length)
    if (this.#update) for (const slot of slots) this.#changed.add(slot)
    this.#ends.note(times, own, slots)
  }

  #begin(keyId: number, timeMs: number): number {
    return this.#link(this.#table.add(keyId, timeMs, timeMs))
  }

  #link(slot: number): number {
    this.#table.link(slot)
    return slot
  }

  /** A session that came from elsewhere becomes part of those that it belongs to; gives the slot that is left. */
  #settle(slot: number): number {
    const table = this.#table
    const keyId = table.keyIds[slot] as number
    const only = table.onlyNear(keyId, table.startMs(slot), table.lastMs(slot))
    if (only >= 0) {
      this.#absorb(only, slot)
      return only
    }
    const near = table.neighbours(keyId, table.startMs(slot), table.lastMs(slot))
    this.#link(slot)
    if (near.length === 0) return slot
    this.#applyFolds()
    return this.#join([...near, slot]) ?? slot
  }

  /** Makes one session of several, that of the first slot; undefined for none. */
  #join([kept, ...others]: readonly number[]): number | undefined {
    if (kept === undefined || others.length === 0) return kept
    for (const gone of others) this.#absorb(kept, gone)
    this.#applyFolds()
    return kept
  }

  /** One session becomes part of another; its values follow with `#applyFolds`. */
  #absorb(kept: number, gone: number): void {
    const table = this.#table
    const { endedAts, events } = table
    table.extend(kept, table.startMs(gone), table.lastMs(gone))
    endedAts[kept] = Math.max(endedAts[kept] as number, endedAts[gone] as number)
    events[kept] = (events[kept] as number) + (events[gone] as number)
    this.#forgetShown(kept, gone)
    this.#ends.becomesPartOf(gone, kept)
    if (this.#changed.delete(gone)) this.#changed.add(kept)
    this.#folds.add(gone, kept)
    table.remove(gone)
  }

  #applyFolds(): void {
    this.#folds.apply(this.#states, this.#table.slotCount)
  }

  /**
   * A session has become part of another one: what update mode has shown of both but under the start that is left has to be taken back.
   * The earlier of two starts can be that one.
   */
  #forgetShown(kept: number, gone: number): void {
    const { shownStarts, keyIds } = this.#table
    if (Number.isNaN(shownStarts[gone])) return
    const [earlier, later] = [shownStarts[kept] as number, shownStarts[gone] as number].sort(nanLast)
    shownStarts[kept] = earlier as number
    if (later !== undefined && !Number.isNaN(later)) {
      this.#vanished.push({ keyId: keyIds[gone] as number, startMs: later })
    }
  }

  #touched(slot: number): void {
    if (this.#table.marks[slot] === 1) return
    if (this.#update) this.#changed.add(slot)
    this.#ends.look(slot)
  }

  #showChanges(output: SessionOutput, closing: ReadonlySet<number>): void {
    output.changed(new Set([...this.#changed, ...closing]), closing, this.#vanished)
    for (const slot of this.#changed) this.#table.shownStarts[slot] = this.#table.startMs(slot)
    this.#changed.clear()
    this.#vanished = []
  }

  #free(slot: number): void {
    if (this.#table.marks[slot] === 1) this.#marks--
    for (const state of this.#states) state.clear(slot)
    this.#table.remove(slot)
  }

  /** What was closed early stays in the way of rows that would open it again, until its gap is over. */
  #leaveMark(slot: number): void {
    for (const state of this.#states) state.clear(slot)
    this.#table.mark(slot)
    this.#noteMark(slot)
  }

  #noteMark(slot: number): void {
    this.#marks++
    this.#newMarks.push(slot)
  }

  #inMark(keyId: number, timeMs: number): boolean {
    return this.#table.inMark(keyId, timeMs) || this.#heard.inMark(keyId, timeMs)
  }

  /** Sessions of the keys that are listed. */
  *#slotsOf(keyLists: readonly ByteReader[]): Generator<number> {
    for (const keys of keyLists) {
      for (let left = keys.count(); left > 0; left--) {
        const keyId = this.#keys.find(keys.bytes())
        if (keyId >= 0) yield* this.#table.ofKey(keyId)
      }
    }
  }

  #openSlots(): Int32Array {
    return this.#table.slots().filter((slot) => this.#table.marks[slot] === 0)
  }

  #letGoOfKeys(): void {
    this.#keys.forget(this.#table.size + this.#heard.size, (newId) => {
      this.#table.renumber(newId)
      this.#heard.renumber(newId)
    })
    for (const [index, aggregator] of this.#inputs.aggregators.entries()) {
      aggregator.forget?.([this.#states[index] as AggregateState])
    }
  }
}

function tooManySessions({ query, groupsMax }: SessionAggregateOptions): MillraceError {
  return new MillraceError('unsupported', `the query "${query}" holds more than ${groupsMax} open sessions`, {
    hint: 'use a shorter gap, a shorter watermark delay, or raise the limit of sessions',
  })
}

function nanLast(left: number, right: number): number {
  if (Number.isNaN(left)) return Number.isNaN(right) ? 0 : 1
  return Number.isNaN(right) ? -1 : left - right
}
