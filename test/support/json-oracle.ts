import assert from 'node:assert/strict'
import {
  type Batch,
  EVENT_BYTES_MAX,
  NESTING_DEPTH_MAX,
  RowError,
  RowStatus,
  YEAR_MAX,
  YEAR_MIN,
} from '../../src/batch/batch.ts'
import type { Column } from '../../src/batch/column.ts'
import type { Dictionary } from '../../src/batch/dictionary.ts'
import type { EncodedRecords } from '../../src/batch/encoded-records.ts'
import type { Decoder, DecoderOptions } from '../../src/batch/json-decoder.ts'
import type { Field } from '../../src/batch/schema.ts'
import { sliceDocument } from './json-slices.ts'

/** Value of a cell as the oracle sees it: text, milliseconds, units, a UUID in lower case. */
type Cell = string | number | boolean | null

/** One record cut out of its framing. */
interface RawRecord {
  readonly offset: number
  readonly timeMs: number
  readonly start: number
  readonly end: number
  readonly damaged: boolean
}

interface Verdict {
  readonly status: number
  readonly error: number
  readonly errorField: number
  readonly cells: readonly Cell[]
  readonly duplicates: number
}

/** The decoder that is slow and obviously right: `JSON.parse` for each row, then one rule per field type. */
export function createOracleDecoder(options: DecoderOptions): Decoder {
  const { fields } = options
  let dictionaries = fields.map(() => new ListDictionary())
  return {
    fields,
    decode(records, fromOffset = 0, toOffset = Number.POSITIVE_INFINITY): Batch {
      const cut = records.framing === 'newline' ? lines(records) : kafkaRecords(records)
      const rows = cut.filter(({ offset }) => offset >= fromOffset && offset < toOffset)
      const verdicts = rows.map((row) => judge(records.bytes, row, options))
      dictionaries = dictionaries.map((one) => (one.size >= options.dictionaryEntriesMax ? new ListDictionary() : one))
      return {
        fields,
        columns: fields.map((field, index) =>
          column(
            field,
            verdicts.map(({ cells }) => cells[index] ?? null),
            dictionaries[index] as ListDictionary,
          ),
        ),
        rowCount: rows.length,
        status: Uint8Array.from(verdicts, ({ status }) => status),
        error: Uint8Array.from(verdicts, ({ error }) => error),
        errorField: Uint8Array.from(verdicts, ({ errorField }) => errorField),
        offsets: Float64Array.from(rows, ({ offset }) => offset),
        recordTimes: Float64Array.from(rows, ({ timeMs }) => timeMs),
        bytes: records.bytes,
        valueStarts: Int32Array.from(rows, ({ start }) => start),
        valueLengths: Int32Array.from(rows, ({ start, end }) => end - start),
        duplicateMembers: verdicts.reduce((sum, { duplicates }) => sum + duplicates, 0),
      }
    },
  }
}

function lines(records: EncodedRecords): RawRecord[] {
  const { bytes, baseOffset } = records
  const found: RawRecord[] = []
  for (let start = 0; start < bytes.length; ) {
    const lineFeed = bytes.indexOf(10, start)
    const lineEnd = lineFeed < 0 ? bytes.length : lineFeed
    const end = lineFeed > start && bytes[lineFeed - 1] === 13 ? lineFeed - 1 : lineEnd
    found.push({ offset: baseOffset + found.length, timeMs: Number.NaN, start, end, damaged: false })
    start = lineEnd + 1
  }
  return found
}

function kafkaRecords(records: EncodedRecords): RawRecord[] {
  const { bytes, baseOffset } = records
  const found: RawRecord[] = []
  let at = 0
  const varint = (): number => {
    let value = 0n
    for (let index = 0n; index < 10n; index++) {
      if (at >= bytes.length) throw new RangeError('cut off')
      const byte = BigInt(bytes[at++])
      value |= (byte & 0x7fn) << (7n * index)
      if (byte < 0x80n) return Number(value & 1n ? -(value + 1n) / 2n : value / 2n)
    }
    throw new RangeError('too long')
  }
  let nextOffset = baseOffset
  for (let count = 0; count < records.recordCount; count++) {
    const recordStart = Math.min(at, bytes.length)
    try {
      const length = varint()
      const recordEnd = at + length
      if (length < 6 || recordEnd > bytes.length) throw new RangeError('cut off')
      at++
      const timestampDelta = varint()
      const offset = baseOffset + varint()
      const keyLength = varint()
      at += Math.max(0, keyLength)
      if (at >= recordEnd) throw new RangeError('key too long')
      const valueLength = varint()
      const end = at + Math.max(0, valueLength)
      if (valueLength < -1 || end >= recordEnd) throw new RangeError('value too long')
      const stamped = records.appendTimestamp ?? records.baseTimestamp + timestampDelta
      found.push({ offset, timeMs: stamped >= 0 ? stamped : Number.NaN, start: at, end, damaged: false })
      nextOffset = offset + 1
      at = recordEnd
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      found.push({ offset: nextOffset, timeMs: Number.NaN, start: recordStart, end: bytes.length, damaged: true })
      return found
    }
  }
  return found
}

function judge(bytes: Uint8Array, record: RawRecord, options: DecoderOptions): Verdict {
  const refused = (status: number, error: number, errorField = 255, duplicates = 0): Verdict => {
    return { status, error, errorField, cells: [], duplicates }
  }
  const malformed = (error: number): Verdict => refused(RowStatus.malformed, error)
  if (record.damaged) return malformed(RowError.notJson)
  const raw = bytes.subarray(record.start, record.end)
  if (raw.length > EVENT_BYTES_MAX) return malformed(RowError.tooLarge)
  if (raw.every((byte) => byte === 32 || byte === 9 || byte === 10 || byte === 13)) return malformed(RowError.empty)
  const text = decodeUtf8(raw)
  if (text === undefined) return malformed(RowError.notUtf8)
  const slices = sliceDocument(text, NESTING_DEPTH_MAX)
  const document = parseJson(text)
  // Of a text that goes too deep only the beginning has been looked at.
  if (slices.kind === 'tooDeep') return malformed(RowError.tooDeep)
  const valid = slices.kind === 'notObject' || (slices.kind === 'object' && !slices.trailing)
  assert.equal(document !== undefined, valid, `JSON.parse and the slices disagree about ${text}`)
  if (slices.kind !== 'object') return malformed(RowError[slices.kind])
  if (slices.trailing) return malformed(RowError.trailingBytes)
  if (!slices.wellFormed) return malformed(RowError.notUtf8)
  const cells: Cell[] = []
  const values = new Map(slices.members.map(({ name, value }) => [name, value]))
  const read = options.fields.filter((field) => !field.rest).map((field) => field.from ?? field.name)
  const duplicates = read.filter((name) => slices.members.filter((member) => member.name === name).length > 1).length
  for (const [index, field] of options.fields.entries()) {
    const value = field.rest ? undefined : values.get(field.from ?? field.name)
    if (value !== undefined) assert.deepEqual(JSON.parse(value), member(document, field.from ?? field.name))
    try {
      cells.push(value === undefined || value === 'null' ? null : cell(field, value))
    } catch (error) {
      if (!(error instanceof FieldRefusal)) throw error
      return refused(RowStatus.wrongType, error.reason, index, duplicates)
    }
    if (field.rest) {
      const known = new Set(
        [...options.knownMembers].filter((name) => name !== (field.from ?? field.name)).concat(read),
      )
      const unknown = slices.members.filter(({ name }) => !known.has(name)).map((one) => one.member)
      if (unknown.length > 0) cells[index] = `{${unknown.join(',')}}`
    }
    const inRange = record.timeMs >= TIME_MIN_MS && record.timeMs < TIME_END_MS
    if (field.orRecordTime && cells[index] === null && inRange) cells[index] = record.timeMs
  }
  return { status: RowStatus.fine, error: RowError.none, errorField: 255, cells, duplicates }
}

class FieldRefusal extends Error {
  readonly reason: number
  constructor(reason: number) {
    super(`field refused: ${reason}`)
    this.reason = reason
  }
}

/** What a field makes of a JSON value, given verbatim. */
function cell(field: Field, raw: string): Cell {
  if (field.type === 'json') return raw
  const value: unknown = JSON.parse(raw)
  const wanted = { string: 'string', uuid: 'string', boolean: 'boolean', decimal: 'number' }[field.type as string]
  const iso = field.type === 'timestamp' && (field.format ?? 'iso') === 'iso'
  if (typeof value !== (wanted ?? (iso ? 'string' : 'number'))) throw new FieldRefusal(RowError.wrongKind)
  if (typeof value === 'boolean') return value
  if (typeof value !== 'string') return numberCell(field, raw, Number(value))
  if (field.type === 'string') return value
  if (field.type === 'timestamp') return isoCell(field, value)
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) throw new FieldRefusal(RowError.badUuid)
  return value.toLowerCase()
}

function numberCell(field: Field, raw: string, double: number): Cell {
  switch (field.type) {
    case 'float64':
      if (!Number.isFinite(double)) throw new FieldRefusal(RowError.numberRange)
      return double
    case 'decimal': {
      const { numerator, denominator } = fraction(raw, field.scale ?? 0)
      return bounded((2n * numerator + denominator) / (2n * denominator), raw, 2n ** 53n, 2n ** 53n)
    }
    case 'timestamp': {
      const { numerator, denominator } = fraction(raw, field.format === 'epoch-s' ? 3 : 0)
      if (field.format === 'epoch-ms' && numerator % denominator !== 0n) throw new FieldRefusal(RowError.badTimestamp)
      const magnitude = Number(numerator / denominator)
      const timeMs = raw.startsWith('-') ? 0 - magnitude : magnitude
      if (!(timeMs >= TIME_MIN_MS && timeMs < TIME_END_MS)) throw new FieldRefusal(RowError.timestampRange)
      return timeMs
    }
    default: {
      const { numerator, denominator } = fraction(raw, 0)
      if (numerator % denominator !== 0n) throw new FieldRefusal(RowError.notInteger)
      const limits = field.type === 'int32' ? ([2n ** 31n - 1n, 2n ** 31n] as const) : ([2n ** 53n, 2n ** 53n] as const)
      return bounded(numerator / denominator, raw, ...limits)
    }
  }
}

function bounded(magnitude: bigint, raw: string, max: bigint, negatedMin: bigint): number {
  const negative = raw.startsWith('-')
  if (magnitude > (negative ? negatedMin : max)) throw new FieldRefusal(RowError.numberRange)
  return negative && magnitude > 0n ? -Number(magnitude) : Number(magnitude)
}

/** The magnitude of a JSON number times 10^scale, exactly. Exponents are cut where nothing changes any more. */
function fraction(raw: string, scale: number): { numerator: bigint; denominator: bigint } {
  const [, whole = '', digits = '', exponentText = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(raw) ?? []
  const cutAt = raw.length + 100
  const exponent = Math.max(-cutAt, Math.min(cutAt, Number(exponentText))) - digits.length + scale
  const mantissa = BigInt(whole + digits)
  if (exponent >= 0) return { numerator: mantissa * 10n ** BigInt(exponent), denominator: 1n }
  return { numerator: mantissa, denominator: 10n ** BigInt(-exponent) }
}

const TIME_MIN_MS = Date.UTC(YEAR_MIN, 0, 1)
const TIME_END_MS = Date.UTC(YEAR_MAX + 1, 0, 1)
const ISO =
  /^(\d{4})-(\d\d)-(\d\d)[T ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?(Z|[+-](?:(?:0\d|1[0-7]):[0-5]\d|18:00))?$/

function isoCell(field: Field, text: string): number {
  const match = ISO.exec(text)
  if (match === null) throw new FieldRefusal(RowError.badTimestamp)
  const [, year, month, day, hour, minute, second, digits = '', offset] = match
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) {
    throw new FieldRefusal(RowError.badTimestamp)
  }
  date.setUTCHours(Number(hour), Number(minute), Number(second), Number(digits.padEnd(3, '0').slice(0, 3)))
  const timeMs = withOffset(date.getTime(), offset, field.timeZone ?? 'UTC')
  if (!(timeMs >= TIME_MIN_MS && timeMs < TIME_END_MS)) throw new FieldRefusal(RowError.timestampRange)
  return timeMs
}

function withOffset(wallMs: number, offset: string | undefined, zone: string): number {
  if (offset === 'Z') return wallMs
  if (offset !== undefined) {
    const sign = offset.startsWith('-') ? 1 : -1
    return wallMs + sign * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4))) * 60_000
  }
  const dayMs = 86_400_000
  const shown = (utcMs: number): number => {
    const text = new Date(utcMs).toLocaleString('sv-SE', { timeZone: zone })
    return Date.parse(`${text.replace(' ', 'T')}Z`) + (((utcMs % 1000) + 1000) % 1000)
  }
  const guesses = [wallMs - dayMs, wallMs + dayMs].map((utcMs) => wallMs - (shown(utcMs) - utcMs))
  const exact = guesses.filter((utcMs) => shown(utcMs) === wallMs)
  return exact.length > 0 ? Math.min(...exact) : (guesses[0] ?? Number.NaN)
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

function member(document: { value: unknown } | undefined, name: string): unknown {
  return Object.getOwnPropertyDescriptor(document?.value, name)?.value
}

function column(field: Field, cells: readonly Cell[], dictionary: ListDictionary): Column {
  switch (field.type) {
    case 'string':
      if (field.cardinality === 'unique') return slices(cells)
      return { kind: 'dictionary', codes: Int32Array.from(cells, (one) => dictionary.code(one)), dictionary }
    case 'json':
      return slices(cells)
    case 'uuid': {
      const digits = cells.map((one) =>
        String(one ?? '')
          .replaceAll('-', '')
          .padEnd(32, '0'),
      )
      return { kind: 'uuid', bytes: Uint8Array.from(Buffer.from(digits.join(''), 'hex')), validity: validity(cells) }
    }
    case 'int32':
      return { kind: 'int32', values: Int32Array.from(cells, (one) => Number(one ?? 0)), validity: validity(cells) }
    case 'boolean':
      return { kind: 'boolean', values: Uint8Array.from(cells, (one) => (one === null ? 255 : Number(one))) }
    default:
      return { kind: 'number', values: Float64Array.from(cells, (one) => (one === null ? Number.NaN : Number(one))) }
  }
}

function validity(cells: readonly Cell[]): Uint8Array {
  return Uint8Array.from(cells, (one) => (one === null ? 0 : 1))
}

function slices(cells: readonly Cell[]): Column {
  const texts = cells.map((one) => (one === null ? undefined : Buffer.from(String(one))))
  let at = 0
  const starts = texts.map((text) => {
    const start = at
    at += text?.length ?? 0
    return start
  })
  return {
    kind: 'string',
    data: Buffer.concat(texts.filter((text) => text !== undefined)),
    starts: Int32Array.from(starts),
    lengths: Int32Array.from(texts, (text) => text?.length ?? -1),
  }
}

/** A dictionary as a list of texts. */
class ListDictionary implements Dictionary {
  readonly #texts: string[] = []
  readonly #codes = new Map<string, number>()

  get size(): number {
    return this.#texts.length
  }

  code(cell: Cell): number {
    if (cell === null) return -1
    const text = String(cell)
    const known = this.#codes.get(text)
    if (known !== undefined) return known
    this.#codes.set(text, this.#texts.length)
    return this.#texts.push(text) - 1
  }

  text(code: number): string {
    return this.#texts[code] ?? ''
  }

  bytes(code: number): Uint8Array {
    return Buffer.from(this.text(code))
  }

  copyTo(code: number, into: Uint8Array, at: number): number {
    const bytes = this.bytes(code)
    if (at + bytes.length <= into.length) into.set(bytes, at)
    return bytes.length
  }
}
