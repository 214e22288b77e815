import { encodeText } from '../base/bytes.ts'
import { BOOLEAN_NULL, type Column, type DictionaryColumn, type StringColumn } from './column.ts'
import type { Dictionary } from './dictionary.ts'
import type { ResultBatch } from './result-batch.ts'
import type { Field } from './schema.ts'
import { type CellColumn, TextBuffer, WRITTEN } from './text-buffer.ts'
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

/**
 * Writes rows behind what the buffer holds; all of them when there is no list. A block of rows is done in two steps: column by column it is
 * found out which fragment each cell is, then row by row they are copied. Cells that are no fragment are written in the second step.
 */
export function writeRows(out: TextBuffer, result: ColumnRows, list: RowList | undefined, format: TextFormat): void {
  const fragments = new TextFragments()
  const columns = result.columns.map((column, index) => {
    const field = result.fields[index]
    return cellColumn(column, field, format, fragments, format.lead(field, index))
  })
  columns.push(constantColumn(fragments, fragments.add([format.end(columns.length)])))
  const count = list?.count ?? result.rowCount
  const rows = list?.rows ?? new Int32Array(Math.min(count, BLOCK_ROWS))
  const numbers = new Int32Array(columns.length * Math.min(count, BLOCK_ROWS))
  const start = out.length
  for (let done = 0; done < count; done += BLOCK_ROWS) {
    const first = list === undefined ? 0 : done
    const end = first + Math.min(BLOCK_ROWS, count - done)
    if (list === undefined) for (let index = 0; index < end; index++) rows[index] = done + index
    for (const [index, column] of columns.entries()) column.find(rows, first, end, numbers, index, columns.length)
    out.cells(columns, numbers, rows, first, end)
    // The buffer grows once, to what the first rows let expect.
    if (done === 0) out.reserve(Math.ceil(1.1 * (out.length - start) * (count / end - 1)))
  }
}

const BLOCK_ROWS = 256

/** What stands before each cell of a column, and the numbers of two fragments: that, and that with a null behind it. */
interface CellFrame {
  readonly lead: number
  readonly null: number
}

function cellColumn(
  column: Column,
  field: Field,
  format: TextFormat,
  fragments: TextFragments,
  lead: string,
): CellColumn {
  if (column.kind === 'dictionary') return dictionaryColumn(column, format, lead)
  const frame: CellFrame = { lead: fragments.add([lead]), null: fragments.add([lead + format.null]) }
  switch (column.kind) {
    case 'boolean':
      return booleanColumn(column.values, fragments, frame.null, fragments.add([`${lead}false`, `${lead}true`]))
    case 'string':
      return stringColumn(column, field.type === 'json' ? format.writeJson : format.writeText, fragments, frame)
    case 'uuid':
      return validColumn(column.validity, fragments, frame, (out, row) => {
        out.ascii(format.quote)
        out.uuid(column.bytes, 16 * row)
        out.ascii(format.quote)
      })
    case 'int32':
      return validColumn(column.validity, fragments, frame, (out, row) => out.number(column.values[row]))
    case 'number':
      return numberColumn(column.values, field, format, fragments, frame)
  }
}

function constantColumn(fragments: TextFragments, fragment: number): CellColumn {
  return {
    fragments,
    find(_rows, first, end, numbers, start, step) {
      for (let place = first, at = start; place < end; place++, at += step) numbers[at] = fragment
    },
    write() {},
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

function dictionaryColumn({ codes, dictionary }: DictionaryColumn, format: TextFormat, lead: string): CellColumn {
  const cells = cellsOf(dictionary, format, lead)
  const scratch = new TextBuffer(256)
  const leadBytes = encodeText(lead)
  const encode = (code: number): number => {
    const bytes = dictionary.bytes(code)
    scratch.cut(0)
    scratch.bytes(leadBytes)
    format.writeText(scratch, viewOf(bytes), 0, bytes.length)
    return cells.add(code, scratch.view())
  }
  return {
    fragments: cells.fragments,
    find(rows, first, end, numbers, start, step) {
      for (let place = first, at = start; place < end; place++, at += step) {
        const code = codes[rows[place]]
        numbers[at] = (cells.numbers[code + 1] || encode(code)) - 1
      }
    },
    write() {},
  }
}

function cellsOf(dictionary: Dictionary, format: TextFormat, lead: string): CodeCells {
  const byLead = format.codeCells.get(dictionary) ?? new Map<string, CodeCells>()
  format.codeCells.set(dictionary, byLead)
  const cells = byLead.get(lead) ?? new CodeCells(lead + format.null)
  byLead.set(lead, cells)
  return cells
}

function booleanColumn(values: Uint8Array, fragments: TextFragments, nullCell: number, falseCell: number): CellColumn {
  return {
    fragments,
    find(rows, first, end, numbers, start, step) {
      for (let place = first, at = start; place < end; place++, at += step) {
        const value = values[rows[place]]
        numbers[at] = value === BOOLEAN_NULL ? nullCell : falseCell + value
      }
    },
    write() {},
  }
}

/** A column whose nulls `validity` tells. */
function validColumn(
  validity: Uint8Array,
  fragments: TextFragments,
  frame: CellFrame,
  writeValue: (out: TextBuffer, row: number) => void,
): CellColumn {
  return {
    fragments,
    find(rows, first, end, numbers, start, step) {
      for (let place = first, at = start; place < end; place++, at += step) {
        numbers[at] = validity[rows[place]] === 0 ? frame.null : WRITTEN
      }
    },
    write(out, row) {
      out.fragment(fragments, frame.lead)
      writeValue(out, row)
    },
  }
}

function stringColumn(
  { data, starts, lengths }: StringColumn,
  writeValue: TextFormat['writeText'],
  fragments: TextFragments,
  frame: CellFrame,
): CellColumn {
  const text = viewOf(data)
  return {
    fragments,
    find(rows, first, end, numbers, start, step) {
      for (let place = first, at = start; place < end; place++, at += step) {
        numbers[at] = lengths[rows[place]] < 0 ? frame.null : WRITTEN
      }
    },
    write(out, row) {
      out.fragment(fragments, frame.lead)
      writeValue(out, text, starts[row], starts[row] + lengths[row])
    },
  }
}

function numberColumn(
  values: Float64Array,
  field: Field,
  format: TextFormat,
  fragments: TextFragments,
  frame: CellFrame,
): CellColumn {
  const writeValue = numberWriter(field, format)
  const infinityIsNull = !format.hasInfinity && field.type !== 'timestamp'
  return {
    fragments,
    find(rows, first, end, numbers, start, step) {
      for (let place = first, at = start; place < end; place++, at += step) {
        const value = values[rows[place]]
        const isNull = Number.isNaN(value) || (infinityIsNull && !Number.isFinite(value))
        numbers[at] = isNull ? frame.null : WRITTEN
      }
    },
    write(out, row) {
      out.fragment(fragments, frame.lead)
      writeValue(out, values[row])
    },
  }
}

function numberWriter(field: Field, { quote }: TextFormat): (out: TextBuffer, value: number) => void {
  const scale = field.scale ?? 0
  if (field.type === 'decimal') return (out, value) => out.decimal(value, scale)
  if (field.type !== 'timestamp') return (out, value) => out.number(value)
  return (out, value) => {
    out.ascii(quote)
    out.timestamp(value)
    out.ascii(quote)
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
