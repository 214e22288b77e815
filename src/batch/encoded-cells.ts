import { encodeText } from '../base/bytes.ts'
import { BOOLEAN_NULL, type Column, type DictionaryColumn, type StringColumn } from './column.ts'
import type { Dictionary } from './dictionary.ts'
import type { ResultBatch } from './result-batch.ts'
import type { Field } from './schema.ts'
import { TextBuffer } from './text-buffer.ts'
import { TextFragments } from './text-fragments.ts'

/** Rows as columns, whatever they come from: a result, or a decoded batch. */
export type ColumnRows = Pick<ResultBatch, 'fields' | 'columns' | 'rowCount'>

/** Some rows, in the order in which they are to be written: `rows[0 .. count)`. */
export interface RowList {
  readonly rows: Int32Array
  readonly count: number
}

/** What text formats do differently. Text comes as UTF-8 in a stretch of a view's bytes. */
export interface TextFormat {
  readonly null: string
  /** Stands around UUIDs and times. */
  readonly quote: string
  /** Whether the format has a way to write an infinite double; else it is null. */
  readonly hasInfinity: boolean
  /** What stands before the cells of a column. */
  lead(field: Field, index: number): string
  /** What stands behind a row of so many cells. */
  end(cellCount: number): string
  writeText(out: TextBuffer, text: DataView, start: number, end: number): void
  /** A JSON value, given verbatim. */
  writeJson(out: TextBuffer, text: DataView, start: number, end: number): void
  /** Of each dictionary, by what stands before its cells. They live as long as the dictionary does. */
  readonly codeCells: WeakMap<Dictionary, Map<string, CodeCells>>
}

/** Writes rows behind what the buffer holds; all of them when there is no list. */
export function writeRows(out: TextBuffer, result: ColumnRows, list: RowList | undefined, format: TextFormat): void {
  const fragments = new TextFragments()
  const writers = result.columns.map((column, index) => {
    const field = result.fields[index]
    const lead = format.lead(field, index)
    const frame = { lead, plain: fragments.add([lead]), null: fragments.add([lead + format.null]) }
    return cellWriter(column, field, format, fragments, frame)
  })
  const end = fragments.add([format.end(writers.length)])
  const count = list?.count ?? result.rowCount
  const start = out.length
  for (let place = 0; place < count; place++) {
    const row = list === undefined ? place : list.rows[place]
    for (let index = 0; index < writers.length; index++) writers[index](out, row)
    out.fragment(fragments, end)
    // The buffer grows once, to what the first rows let expect.
    if (place === SAMPLE_ROWS) out.reserve(Math.ceil((1.1 * (out.length - start) * (count - place)) / SAMPLE_ROWS))
  }
}

const SAMPLE_ROWS = 256

/** Writes a column's cell of one row, and what stands before it. */
type CellWriter = (out: TextBuffer, row: number) => void

/** What stands before each cell of a column, and the numbers of two fragments: that, and that with a null behind it. */
interface CellFrame {
  readonly lead: string
  readonly plain: number
  readonly null: number
}

/** How to write the cells of a column: chosen once, then called for each row. */
function cellWriter(
  column: Column,
  field: Field,
  format: TextFormat,
  fragments: TextFragments,
  frame: CellFrame,
): CellWriter {
  switch (column.kind) {
    case 'dictionary':
      return dictionaryWriter(column, format, frame)
    case 'string':
      return sliceWriter(column, field.type === 'json' ? format.writeJson : format.writeText, fragments, frame)
    case 'uuid':
      return (out, row) => {
        if (column.validity[row] === 0) return out.fragment(fragments, frame.null)
        out.fragment(fragments, frame.plain)
        out.ascii(format.quote)
        out.uuid(column.bytes, 16 * row)
        out.ascii(format.quote)
      }
    case 'number':
      return numberWriter(column.values, field, format, fragments, frame)
    case 'int32':
      return (out, row) => {
        if (column.validity[row] === 0) return out.fragment(fragments, frame.null)
        out.fragment(fragments, frame.plain)
        out.number(column.values[row])
      }
    case 'boolean': {
      const texts = fragments.add([`${frame.lead}false`, `${frame.lead}true`])
      return (out, row) => {
        const value = column.values[row]
        out.fragment(fragments, value === BOOLEAN_NULL ? frame.null : texts + value)
      }
    }
  }
}

/** The cells of a dictionary's codes, each with what stands before it: written when a code comes for the first time, then copied. */
class CodeCells {
  readonly fragments: TextFragments = new TextFragments()
  /** By code + 1, so that null is the first: number of the fragment + 1; 0, or nothing, when the code has not come yet. */
  numbers: Int32Array = new Int32Array(64)

  constructor(nullCell: string) {
    this.numbers[0] = this.fragments.add([nullCell]) + 1
  }

  /** Keeps what a code was written as; returns its number as `numbers` has it. */
  add(code: number, cell: Uint8Array): number {
    if (code + 1 >= this.numbers.length) {
      const grown = new Int32Array(Math.max(code + 2, 2 * this.numbers.length))
      grown.set(this.numbers)
      this.numbers = grown
    }
    const number = this.fragments.addBytes(cell) + 1
    this.numbers[code + 1] = number
    return number
  }
}

function dictionaryWriter({ codes, dictionary }: DictionaryColumn, format: TextFormat, frame: CellFrame): CellWriter {
  const cells = cellsOf(dictionary, format, frame.lead)
  const scratch = new TextBuffer(256)
  const lead = encodeText(frame.lead)
  const encode = (code: number): number => {
    const bytes = dictionary.bytes(code)
    scratch.cut(0)
    scratch.bytes(lead)
    format.writeText(scratch, viewOf(bytes), 0, bytes.length)
    return cells.add(code, scratch.view())
  }
  return (out, row) => {
    const code = codes[row]
    const number = cells.numbers[code + 1] || encode(code)
    out.fragment(cells.fragments, number - 1)
  }
}

function cellsOf(dictionary: Dictionary, format: TextFormat, lead: string): CodeCells {
  const byLead = format.codeCells.get(dictionary) ?? new Map<string, CodeCells>()
  format.codeCells.set(dictionary, byLead)
  const cells = byLead.get(lead) ?? new CodeCells(lead + format.null)
  byLead.set(lead, cells)
  return cells
}

function sliceWriter(
  { data, starts, lengths }: StringColumn,
  write: TextFormat['writeText'],
  fragments: TextFragments,
  frame: CellFrame,
): CellWriter {
  const text = viewOf(data)
  return (out, row) => {
    const start = starts[row]
    const length = lengths[row]
    if (length < 0) return out.fragment(fragments, frame.null)
    out.fragment(fragments, frame.plain)
    write(out, text, start, start + length)
  }
}

function numberWriter(
  values: Float64Array,
  field: Field,
  format: TextFormat,
  fragments: TextFragments,
  frame: CellFrame,
): CellWriter {
  const scale = field.scale ?? 0
  const { quote } = format
  const write =
    field.type === 'decimal'
      ? (out: TextBuffer, value: number): void => out.decimal(value, scale)
      : field.type === 'timestamp'
        ? (out: TextBuffer, value: number): void => {
            out.ascii(quote)
            out.timestamp(value)
            out.ascii(quote)
          }
        : (out: TextBuffer, value: number): void => out.number(value)
  const infinityIsNull = !format.hasInfinity && field.type !== 'timestamp'
  return (out, row) => {
    const value = values[row]
    if (Number.isNaN(value) || (infinityIsNull && !Number.isFinite(value))) return out.fragment(fragments, frame.null)
    out.fragment(fragments, frame.plain)
    write(out, value)
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
