import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { type FeatureVector, featureVector } from '../../ml/feature-vector.ts'
import { grownInts, grownNumbers } from '../aggregates/aggregate.ts'
import { readTime } from '../event-times.ts'
import type { KeyTable } from '../keys/key-table.ts'

/** A row whose outcome has become known, with what was said of it; both valid until it returns. */
export type Settle = (row: FeatureVector, told: Float64Array, outcome: number) => void

/** What the joiner is made for. */
export interface LabelJoinerOptions {
  readonly withinMs: number
  /** Rows that may wait; those that come when so many do are left out, whatever will become of them. */
  readonly waitingMax: number
  /** Features that a row has at most. */
  readonly featuresMax: number
  /** Numbers that are said of a row. */
  readonly toldSize: number
  /**
   * Outcome of a row after which nothing came (`follow`); null: outcomes are whether the key was marked after the row (`mark`), 1 or 0.
   */
  readonly nothing: number | null
  /** Who rows are about. */
  readonly keys: KeyTable
}

/** Rows that have left, as a share of all room, before the others move to the front. */
const GONE_SHARE = 2
const NEVER = -1
const UNKNOWN = -1

/**
 * Rows that wait until it is certain what became of them. Rows come in order of event time and each waits equally long, so they leave in
 * the order in which they came, the positives no sooner than the negatives: a model that heard of purchases first would take them to be
 * commoner than they are.
 *
 *   row at t ------------------ t + within: its outcome is whether its key was marked after it came, or which class came first behind it
 */
export class LabelJoiner {
  readonly #options: LabelJoinerOptions
  readonly #vector: FeatureVector
  readonly #toldNow: Float64Array
  /** Rows so far; tells which came first. */
  #sequence = 0
  /** By key id: sequence of its last mark. */
  #marks = new Float64Array(64).fill(NEVER)
  /** Waiting rows are at `#first <= place < #end`. */
  #first = 0
  #end = 0
  #times = new Float64Array(64)
  #sequences = new Float64Array(64)
  #keyIds = new Int32Array(64)
  /** What was said of each row, `toldSize` numbers. */
  #told = new Float64Array(64)
  /** Class of what came first behind each row; -1 for nothing yet. */
  #outcomes = new Int32Array(64)
  /** By key id: place of its last row that waits, counted on from `#gone`. */
  #lastPlaces = new Float64Array(64).fill(NEVER)
  /** Rows that places were moved by so far. */
  #gone = 0
  #numberCounts = new Int32Array(64)
  /** Where the features of each row end. */
  #featureEnds = new Int32Array(64)
  #slots = new Int32Array(256)
  #values = new Float64Array(256)
  /** Rows that the input ended for before their time was over. */
  #unlabelled = 0
  /** Rows that there was no room for. */
  #leftOut = 0

  constructor(options: LabelJoinerOptions) {
    this.#options = options
    this.#vector = featureVector(options.featuresMax)
    this.#toldNow = new Float64Array(options.toldSize)
  }

  get waiting(): number {
    return this.#end - this.#first
  }

  get unlabelled(): number {
    return this.#unlabelled
  }

  get leftOut(): number {
    return this.#leftOut
  }

  /** Number of the next row in the order of all rows. */
  next(): number {
    return this.#sequence++
  }

  /** A row of this key and number is what those before it wait for. */
  mark(keyId: number, sequence: number): void {
    if (keyId >= this.#marks.length) this.#marks = grownNumbers(this.#marks, keyId + 1, NEVER)
    this.#marks[keyId] = sequence
  }

  /** A row of this class has come behind the last one of its key that waits; only the first such row counts. */
  follow(keyId: number, outcome: number): void {
    const place = (this.#lastPlaces[keyId] ?? NEVER) - this.#gone
    if (place >= this.#first && this.#outcomes[place] === UNKNOWN) this.#outcomes[place] = outcome
  }

  /** False when there is no room: the row is left out, and counted. */
  wait(row: FeatureVector, timeMs: number, keyId: number, told: Float64Array, sequence: number): boolean {
    if (this.waiting >= this.#options.waitingMax) {
      this.#leftOut++
      return false
    }
    const place = this.#end++
    this.#makeRoom()
    const start = this.#startOf(place)
    const end = start + row.count
    this.#slots = grownInts(this.#slots, end)
    this.#values = grownNumbers(this.#values, end)
    for (let index = 0; index < row.count; index++) {
      this.#slots[start + index] = row.indices[index] as number
      this.#values[start + index] = row.values[index] as number
    }
    this.#featureEnds[place] = end
    this.#times[place] = timeMs
    this.#sequences[place] = sequence
    this.#keyIds[place] = keyId
    const { toldSize } = this.#options
    for (let index = 0; index < toldSize; index++) this.#told[place * toldSize + index] = told[index] as number
    this.#numberCounts[place] = row.numbers
    this.#outcomes[place] = UNKNOWN
    if (this.#options.nothing !== null) this.#remember(keyId, place)
    return true
  }

  /** Settles the rows whose time ended before this time: what happens at it is no label of theirs. */
  settleBefore(timeMs: number, settle: Settle): void {
    this.#settle((endMs) => endMs < timeMs, settle)
  }

  /** Settles the rows whose time ends up to this time; all marks up to it have been set. */
  settleUpTo(timeMs: number, settle: Settle): void {
    this.#settle((endMs) => endMs <= timeMs, settle)
  }

  /** The input has ended: what became of the rows that still wait will never be known. */
  giveUp(): void {
    this.#unlabelled += this.waiting
    this.#gone += this.#end
    this.#first = 0
    this.#end = 0
  }

  /** Lets go of keys that no row waits for. */
  forgetKeys(): void {
    this.#options.keys.forget(this.waiting, (newId) => {
      const marks = this.#marks
      this.#marks = new Float64Array(64).fill(NEVER)
      this.#lastPlaces = new Float64Array(64).fill(NEVER)
      for (let place = this.#first; place < this.#end; place++) {
        const old = this.#keyIds[place] as number
        const id = newId(old)
        this.#keyIds[place] = id
        this.mark(id, marks[old] ?? NEVER)
        if (this.#options.nothing !== null) this.#remember(id, place)
      }
    })
  }

  /** The same bytes for the same rows, whatever ids their keys have. */
  write(writer: ByteWriter): void {
    writer.f64(this.#sequence)
    writer.varint(this.#unlabelled)
    writer.varint(this.#leftOut)
    writer.varint(this.waiting)
    for (let place = this.#first; place < this.#end; place++) {
      const keyId = this.#keyIds[place] as number
      writer.bytes(this.#options.keys.bytes(keyId))
      // A mark before the row says nothing about it, and may have been forgotten elsewhere.
      const mark = this.#marks[keyId] ?? NEVER
      writer.f64(mark > (this.#sequences[place] as number) ? mark : NEVER)
      writer.f64(this.#times[place] as number)
      writer.f64(this.#sequences[place] as number)
      writer.varint((this.#outcomes[place] as number) + 1)
      this.#read(place)
      for (const number of this.#toldNow) writer.f64(number)
      const { count, numbers, indices, values } = this.#vector
      writer.varint(count)
      writer.varint(numbers)
      for (let index = 0; index < count; index++) {
        writer.varint(indices[index] as number)
        writer.f64(values[index] as number)
      }
    }
  }

  /** `size`: slots that features have. */
  restore(reader: ByteReader, size: number): void {
    const { keys, featuresMax, nothing } = this.#options
    this.giveUp()
    const sequence = reader.f64()
    this.#unlabelled = reader.varint()
    this.#leftOut = reader.varint()
    const row = featureVector(featuresMax)
    for (let left = reader.count(); left > 0; left--) {
      const keyId = keys.intern(reader.bytes())
      this.mark(keyId, Math.max(this.#marks[keyId] ?? NEVER, reader.f64()))
      const timeMs = readTime(reader)
      const rowSequence = reader.f64()
      const outcome = reader.varint() - 1
      if (outcome > (nothing ?? UNKNOWN)) throw reader.corrupt(`class ${outcome}`)
      for (let index = 0; index < this.#toldNow.length; index++) this.#toldNow[index] = reader.f64()
      row.count = reader.varint()
      row.numbers = reader.varint()
      if (row.count > featuresMax || row.numbers > row.count) {
        throw reader.corrupt(`a row with ${row.count} features`)
      }
      for (let index = 0; index < row.count; index++) {
        const slot = reader.varint()
        if (slot >= size) throw reader.corrupt(`feature ${slot} of ${size}`)
        row.indices[index] = slot
        row.values[index] = reader.f64()
      }
      if (!this.wait(row, timeMs, keyId, this.#toldNow, rowSequence)) throw reader.corrupt('more rows than may wait')
      if (outcome !== UNKNOWN) this.follow(keyId, outcome)
    }
    this.#sequence = sequence
  }

  #settle(over: (endMs: number) => boolean, settle: Settle): void {
    const { withinMs, nothing } = this.#options
    while (this.#first < this.#end && over((this.#times[this.#first] as number) + withinMs)) {
      const place = this.#first
      this.#read(place)
      this.#first++
      settle(this.#vector, this.#toldNow, nothing === null ? this.#marked(place) : this.#followed(place, nothing))
    }
    if (this.#first * GONE_SHARE > this.#end) this.#moveToFront()
  }

  #marked(place: number): number {
    const mark = this.#marks[this.#keyIds[place] as number] ?? NEVER
    return mark > (this.#sequences[place] as number) ? 1 : 0
  }

  #followed(place: number, nothing: number): number {
    const outcome = this.#outcomes[place] as number
    return outcome === UNKNOWN ? nothing : outcome
  }

  #remember(keyId: number, place: number): void {
    if (keyId >= this.#lastPlaces.length) this.#lastPlaces = grownNumbers(this.#lastPlaces, keyId + 1, NEVER)
    this.#lastPlaces[keyId] = place + this.#gone
  }

  #startOf(place: number): number {
    return place === 0 ? 0 : (this.#featureEnds[place - 1] as number)
  }

  #read(place: number): void {
    const start = this.#startOf(place)
    const count = (this.#featureEnds[place] as number) - start
    const { indices, values } = this.#vector
    for (let index = 0; index < count; index++) {
      indices[index] = this.#slots[start + index] as number
      values[index] = this.#values[start + index] as number
    }
    const { toldSize } = this.#options
    for (let index = 0; index < toldSize; index++) {
      this.#toldNow[index] = this.#told[place * toldSize + index] as number
    }
    this.#vector.count = count
    this.#vector.numbers = this.#numberCounts[place] as number
  }

  #makeRoom(): void {
    this.#times = grownNumbers(this.#times, this.#end)
    this.#sequences = grownNumbers(this.#sequences, this.#end)
    this.#keyIds = grownInts(this.#keyIds, this.#end)
    this.#told = grownNumbers(this.#told, this.#end * this.#options.toldSize)
    this.#outcomes = grownInts(this.#outcomes, this.#end)
    this.#numberCounts = grownInts(this.#numberCounts, this.#end)
    this.#featureEnds = grownInts(this.#featureEnds, this.#end)
  }

  #moveToFront(): void {
    const [first, end] = [this.#first, this.#end]
    const gone = this.#startOf(first)
    this.#slots.copyWithin(0, gone, this.#startOf(end))
    this.#values.copyWithin(0, gone, this.#startOf(end))
    const { toldSize } = this.#options
    this.#told.copyWithin(0, first * toldSize, end * toldSize)
    for (const column of [this.#times, this.#sequences]) column.copyWithin(0, first, end)
    for (const column of [this.#keyIds, this.#numberCounts, this.#outcomes]) column.copyWithin(0, first, end)
    for (let place = first; place < end; place++) {
      this.#featureEnds[place - first] = (this.#featureEnds[place] as number) - gone
    }
    this.#first = 0
    this.#end = end - first
    this.#gone += first
  }
}
