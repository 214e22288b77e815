import { BOOLEAN_NULL, type Column, type DictionaryColumn, type StringColumn } from './column.ts'
import type { Dictionary } from './dictionary.ts'
import type { ResultBatch } from './result-batch.ts'
import type { Field } from './schema.ts'
import type { TextBuffer } from './text-buffer.ts'
import { formatUuid } from './uuid-text.ts'

/** Rows as columns, whatever they come from: a result, or a decoded batch. */
export type ColumnRows = Pick<ResultBatch, 'fields' | 'columns' | 'rowCount'>

/** Some rows, in the order in which they are to be written: `rows[0 .. count)`. */
export interface RowList {
  readonly rows: Int32Array
  readonly count: number
}

/** What text formats do differently. Text comes as UTF-8 in `bytes[start, end)`. */
export interface TextFormat {
  readonly null: string
  /** Stands around UUIDs and times. */
  readonly quote: string
  /** Whether the format has a way to write an infinite double; else it is null. */
  readonly hasInfinity: boolean
  writeText(out: TextBuffer, bytes: Uint8Array, start: number, end: number): void
  /** A JSON value, given verbatim. */
  writeJson(out: TextBuffer, bytes: Uint8Array, start: number, end: number): void
  /** For each dictionary, the cells that its codes were written as. They live as long as the dictionary does. */
  readonly codeCells: WeakMap<Dictionary, (Uint8Array | undefined)[]>
}

/** Writes a column's cell of one row. */
export type CellWriter = (out: TextBuffer, row: number) => void

/** How to write the cells of a column: chosen once, then called for each row. */
export function cellWriter(column: Column, field: Field, format: TextFormat): CellWriter {
  switch (column.kind) {
    case 'dictionary':
      return dictionaryWriter(column, format)
    case 'string':
      return sliceWriter(column, field, format)
    case 'uuid':
      return (out, row) => {
        const text = column.validity[row] === 0 ? undefined : formatUuid(column.bytes, 16 * row)
        out.ascii(text === undefined ? format.null : format.quote + text + format.quote)
      }
    case 'number':
      return numberWriter(column.values, field, format)
    case 'int32':
      return (out, row) => {
        if (column.validity[row] === 0) out.ascii(format.null)
        else out.number(column.values[row])
      }
    case 'boolean':
      return (out, row) => {
        const value = column.values[row]
        out.ascii(value === BOOLEAN_NULL ? format.null : value === 1 ? 'true' : 'false')
      }
  }
}

function dictionaryWriter({ codes, dictionary }: DictionaryColumn, format: TextFormat): CellWriter {
  const cells = format.codeCells.get(dictionary) ?? []
  format.codeCells.set(dictionary, cells)
  return (out, row) => {
    const code = codes[row]
    const known = cells[code]
    if (known !== undefined) {
      out.raw(known)
    } else if (code < 0) {
      out.ascii(format.null)
    } else {
      const start = out.length
      const bytes = dictionary.bytes(code)
      format.writeText(out, bytes, 0, bytes.length)
      while (cells.length <= code) cells.push(undefined)
      cells[code] = out.view().slice(start)
    }
  }
}

function sliceWriter({ data, starts, lengths }: StringColumn, field: Field, format: TextFormat): CellWriter {
  return (out, row) => {
    const start = starts[row]
    const length = lengths[row]
    if (length < 0) out.ascii(format.null)
    else if (field.type === 'json') format.writeJson(out, data, start, start + length)
    else format.writeText(out, data, start, start + length)
  }
}

function numberWriter(values: Float64Array, field: Field, format: TextFormat): CellWriter {
  const scale = field.scale ?? 0
  const write =
    field.type === 'decimal'
      ? (out: TextBuffer, value: number): void => out.decimal(value, scale)
      : field.type === 'timestamp'
        ? (out: TextBuffer, value: number): void => {
            out.ascii(format.quote)
            out.timestamp(value)
            out.ascii(format.quote)
          }
        : (out: TextBuffer, value: number): void => out.number(value)
  const infinityIsNull = !format.hasInfinity && field.type !== 'timestamp'
  return (out, row) => {
    const value = values[row]
    if (Number.isNaN(value) || (infinityIsNull && !Number.isFinite(value))) out.ascii(format.null)
    else write(out, value)
  }
}
