import { assert } from '../base/assert.ts'
import { type Batch, EVENT_BYTES_MAX, RowError, RowStatus } from './batch.ts'
import type { EncodedRecords } from './encoded-records.ts'
import { FieldColumn } from './field-column.ts'
import { GrowingBatch } from './growing-batch.ts'
import type { Decoder, DecoderOptions } from './json-decoder.ts'
import { CARRIAGE_RETURN, LINE_FEED } from './json-scanner.ts'
import { RecordWalk } from './record-walk.ts'
import { RowParser } from './row-parser.ts'
import { RowPredictor } from './row-predictor.ts'
import { type RowReader, rowReader } from './row-reader.ts'
import type { Field } from './schema.ts'

/** Fields that a batch can name in `errorField`. */
const FIELDS_MAX = 255
/** Bytes that scans may look at behind the input. */
const PADDING_BYTES = 64

/** Makes a decoder in plain TypeScript: it runs everywhere, and copies the input once so that scans need not look for its end. */
export function createScalarDecoder(options: DecoderOptions): Decoder {
  return new ScalarDecoder(options)
}

class ScalarDecoder implements Decoder {
  readonly fields: readonly Field[]
  readonly #entriesMax: number
  readonly #batch: GrowingBatch
  readonly #reader: RowReader
  readonly #predictor: RowPredictor
  readonly #parser: RowParser
  readonly #walk = new RecordWalk()
  #data = new Uint8Array(0)
  #view = new DataView(this.#data.buffer)

  constructor(options: DecoderOptions) {
    assert(options.fields.length <= FIELDS_MAX, `a decoder fills at most ${FIELDS_MAX} fields`)
    assert(options.dictionaryEntriesMax > 0, 'a dictionary holds at least one value')
    const columns = options.fields.map((field, index) => new FieldColumn(field, index, options.hashSeed))
    this.fields = options.fields
    this.#entriesMax = options.dictionaryEntriesMax
    this.#batch = new GrowingBatch(columns)
    this.#reader = rowReader(columns, options.knownMembers, options.hashSeed)
    this.#predictor = new RowPredictor(this.#reader)
    this.#parser = new RowParser(this.#reader)
  }

  decode(records: EncodedRecords, fromOffset = 0, toOffset = Number.POSITIVE_INFINITY): Batch {
    const { bytes } = records
    const batch = this.#batch
    this.#load(bytes)
    batch.begin(bytes, Math.min(records.recordCount, bytes.length))
    if (records.framing === 'newline') this.#decodeLines(records, fromOffset, toOffset)
    else this.#decodeRecords(records, fromOffset, toOffset)
    batch.duplicateMembers = this.#parser.duplicateMembers
    batch.finish(this.#data, this.#view, this.#entriesMax)
    return batch
  }

  /** Layout of the data: input, padding, texts without escapes, objects of unknown members, padding. */
  #load(bytes: Uint8Array): void {
    const needed = 3 * bytes.length + 2 * PADDING_BYTES
    if (needed > this.#data.length) {
      this.#data = new Uint8Array(Math.max(needed, 2 * this.#data.length))
      this.#view = new DataView(this.#data.buffer)
    }
    this.#data.set(bytes)
    const textAt = bytes.length + PADDING_BYTES
    this.#reader.scanner.attach(this.#data, this.#view)
    this.#reader.scratch.attach(this.#data, textAt, textAt + bytes.length)
    this.#predictor.begin()
    this.#parser.begin()
  }

  #decodeLines(records: EncodedRecords, fromOffset: number, toOffset: number): void {
    const data = this.#data
    const { length } = records.bytes
    data[length] = LINE_FEED
    let offset = records.baseOffset
    for (let at = 0; at < length && offset < toOffset; offset++) {
      if (offset < fromOffset) {
        at = data.indexOf(LINE_FEED, at) + 1
        continue
      }
      const row = this.#batch.add(offset, Number.NaN)
      const lineEnd = this.#decodeLine(row, at, length)
      at = lineEnd + 1
    }
  }

  /** Decodes the line that begins at `start`; gives the position of its line feed. */
  #decodeLine(row: number, start: number, length: number): number {
    const data = this.#data
    const predictedEnd = this.#predictor.predict(row, start)
    const lineEnd = predictedEnd < 0 ? data.indexOf(LINE_FEED, start) : predictedEnd
    const returnAt = lineEnd - 1
    const end = returnAt >= start && lineEnd < length && data[returnAt] === CARRIAGE_RETURN ? returnAt : lineEnd
    this.#batch.setValue(row, start, end)
    if (predictedEnd < 0 || end - start > EVENT_BYTES_MAX) this.#decodeExactly(row, start, end)
    return lineEnd
  }

  #decodeRecords(records: EncodedRecords, fromOffset: number, toOffset: number): void {
    const walk = this.#walk
    const batch = this.#batch
    const { length } = records.bytes
    walk.begin(this.#data, length)
    let nextOffset = records.baseOffset
    for (let count = 0; count < records.recordCount; count++) {
      const start = walk.position
      if (!walk.next()) {
        if (nextOffset >= fromOffset && nextOffset < toOffset)
          this.#refuseRest(nextOffset, Math.min(start, length), length)
        return
      }
      const offset = records.baseOffset + walk.offsetDelta
      nextOffset = offset + 1
      if (offset >= toOffset) return
      if (offset < fromOffset) continue
      const row = batch.add(offset, recordTime(records, walk.timestampDelta))
      const valueEnd = walk.valueStart + Math.max(0, walk.valueLength)
      batch.setValue(row, walk.valueStart, valueEnd)
      this.#decodeValue(row, walk.valueStart, valueEnd)
    }
  }

  #decodeValue(row: number, start: number, end: number): void {
    // What stands there is the number of headers, which nobody reads any more.
    this.#data[end] = LINE_FEED
    if (end - start > EVENT_BYTES_MAX || this.#predictor.predict(row, start) !== end)
      this.#decodeExactly(row, start, end)
  }

  #decodeExactly(row: number, start: number, end: number): void {
    const parser = this.#parser
    this.#batch.clearRow(row)
    const error = parser.parse(row, start, end)
    if (error === RowError.none) return
    if (parser.errorField < 0) this.#batch.refuse(row, RowStatus.malformed, error)
    else this.#batch.refuse(row, RowStatus.wrongType, error, parser.errorField)
  }

  /** What is left of a section that is damaged becomes one malformed row, so that it is accounted for. */
  #refuseRest(offset: number, start: number, end: number): void {
    const row = this.#batch.add(offset, Number.NaN)
    this.#batch.setValue(row, start, end)
    this.#batch.refuse(row, RowStatus.malformed, RowError.notJson)
  }
}

function recordTime(records: EncodedRecords, timestampDelta: number): number {
  const timeMs = records.appendTimestamp ?? records.baseTimestamp + timestampDelta
  return timeMs >= 0 ? timeMs : Number.NaN
}
