import assert from 'node:assert/strict'
import type { Batch } from '../../src/batch/batch.ts'
import type { EncodedRecords } from '../../src/batch/encoded-records.ts'
import type { Decoder } from '../../src/batch/json-decoder.ts'
import type { Field } from '../../src/batch/schema.ts'
import type { Contender } from '../support/measure.ts'
import type { DataSet } from './data.ts'

/** What is in a data set, as far as a contender has read it right. */
export interface Totals {
  rows: number
  refused: number
  timeMs: number
  cents: number
  quantity: number
  userBytes: number
}

/** Something that reads a data set batch by batch; the longest batch so far is known. */
export interface BatchContender extends Contender {
  /** In ms, over all runs but warm-ups, which `prepare` counts. */
  worstBatchMs(): number
}

/** Reads every batch with a decoder, which `create` makes once, or for each run anew. */
export function decoding(
  name: string,
  data: DataSet,
  create: () => Decoder,
  { fresh = false }: { fresh?: boolean } = {},
): BatchContender {
  let decoder = create()
  return timed(
    name,
    data,
    (records) => decoder.decode(records).rowCount,
    () => {
      if (fresh) decoder = create()
    },
  )
}

/** Reads every batch with `JSON.parse`, row by row, into the same columns. */
export function parsing(data: DataSet, fields: readonly Field[]): BatchContender {
  const columns = new ParsedColumns(fields)
  return timed('JSON.parse', data, (records) => columns.read(records))
}

/** Copies every batch: what any decoder at least costs. */
export function copying(data: DataSet): BatchContender {
  const target = new Uint8Array(2 << 20)
  return timed('memcpy', data, (records) => {
    target.set(records.bytes)
    return records.recordCount
  })
}

/** Times each batch; how often it was warmed up is what `measure` was told. */
export function timed(
  name: string,
  data: DataSet,
  read: (records: EncodedRecords) => number,
  prepare: () => void = () => {},
): BatchContender {
  let worstNs = 0n
  let runs = 0
  return {
    name,
    prepare() {
      prepare()
      if (++runs <= WARM_UPS) worstNs = 0n
    },
    worstBatchMs: () => Number(worstNs) / 1e6,
    run() {
      let rows = 0
      for (const records of data.batches) {
        const startNs = process.hrtime.bigint()
        rows += read(records)
        const durationNs = process.hrtime.bigint() - startNs
        if (durationNs > worstNs) worstNs = durationNs
      }
      assert.equal(rows, data.events, `${name} found as many rows as there are`)
      return rows
    },
  }
}

/** Runs that are not counted. */
export const WARM_UPS = 2

/** Adds up what a decoder reads; not timed. */
export function totalsOf(data: DataSet, decoder: Decoder): Totals {
  const totals: Totals = { rows: 0, refused: 0, timeMs: 0, cents: 0, quantity: 0, userBytes: 0 }
  for (const records of data.batches) addBatch(totals, decoder.decode(records))
  return totals
}

function addBatch(totals: Totals, batch: Batch): void {
  const column = (name: string) => batch.columns[batch.fields.findIndex((field) => field.name === name)]
  const times = column('timestamp')
  const amounts = column('amount')
  const quantities = column('quantity')
  const users = column('user_id')
  assert.ok(times?.kind === 'number' && amounts?.kind === 'number')
  assert.ok(quantities?.kind === 'int32' && users?.kind === 'dictionary')
  for (let row = 0; row < batch.rowCount; row++) {
    totals.rows++
    totals.refused += Number(batch.status[row] !== 0)
    totals.timeMs += times.values[row] || 0
    totals.cents += amounts.values[row] || 0
    totals.quantity += quantities.validity[row] === 1 ? quantities.values[row] : 0
    const code = users.codes[row]
    totals.userBytes += code < 0 ? 0 : users.dictionary.bytes(code).length
  }
}

/** Adds up what `JSON.parse` reads; not timed. */
export function parsedTotals(data: DataSet, fields: readonly Field[]): Totals {
  const totals: Totals = { rows: 0, refused: 0, timeMs: 0, cents: 0, quantity: 0, userBytes: 0 }
  const members = new Map(fields.map((field) => [field.name, field.from ?? field.name]))
  const member = (row: Row, name: string): unknown => row[members.get(name) ?? '']
  for (const row of data.batches.flatMap(rowsOf)) {
    totals.rows++
    if (row === undefined) {
      totals.refused++
      continue
    }
    const user = member(row, 'user_id')
    totals.timeMs += Date.parse(String(member(row, 'timestamp')))
    totals.cents += Math.round(Number(member(row, 'amount') ?? 0) * 100)
    totals.quantity += Number(member(row, 'quantity') ?? 0)
    totals.userBytes += typeof user === 'string' ? Buffer.byteLength(user) : 0
  }
  return totals
}

type Row = Readonly<Record<string, unknown>>

/** The rows of a batch, undefined where a line is not JSON. */
function rowsOf(records: EncodedRecords): (Row | undefined)[] {
  const text = Buffer.from(records.bytes.buffer, records.bytes.byteOffset, records.bytes.length).toString()
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      try {
        return JSON.parse(line) as Row
      } catch {
        return undefined
      }
    })
}

/** The columns that a program without a decoder would make of parsed rows. */
class ParsedColumns {
  readonly #columns: readonly ParsedColumn[]

  constructor(fields: readonly Field[]) {
    this.#columns = fields.map((field) => parsedColumn(field))
  }

  read(records: EncodedRecords): number {
    const rows = rowsOf(records)
    for (const [index, row] of rows.entries()) {
      if (row === undefined) continue
      for (const { member, put } of this.#columns) put(index, row[member])
    }
    return rows.length
  }
}

interface ParsedColumn {
  readonly member: string
  put(row: number, value: unknown): void
}

const ROWS_MAX = 1 << 14

function parsedColumn(field: Field): ParsedColumn {
  const member = field.from ?? field.name
  if (field.type === 'string') {
    if (field.cardinality === 'unique') {
      const texts = new Array<unknown>(ROWS_MAX)
      return { member, put: (row, value) => (texts[row] = value) }
    }
    const codes = new Int32Array(ROWS_MAX)
    const known = new Map<string, number>()
    return { member, put: (row, value) => (codes[row] = typeof value === 'string' ? codeOf(known, value) : -1) }
  }
  const values = new Float64Array(ROWS_MAX)
  if (field.type === 'timestamp') return { member, put: (row, value) => (values[row] = Date.parse(String(value))) }
  return { member, put: (row, value) => (values[row] = typeof value === 'number' ? value : Number.NaN) }
}

function codeOf(known: Map<string, number>, text: string): number {
  const code = known.get(text)
  if (code !== undefined) return code
  known.set(text, known.size)
  return known.size - 1
}
