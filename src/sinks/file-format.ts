import { unreachable } from '../base/assert.ts'
import { encodeText } from '../base/bytes.ts'
import { cellText, cellValue } from '../batch/cell.ts'
import type { Column } from '../batch/column.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { Field } from '../batch/schema.ts'
import type { FileSinkSpec } from '../plan/connectors.ts'

/** Turns rows into the bytes of a file. */
export interface FileFormat {
  readonly extension: string
  /** The rows that `rowIndexes` names, in that order. */
  encode(rows: ResultBatch, rowIndexes: Int32Array): Promise<Uint8Array>
}

/** The format that a file sink asks for. */
export function fileFormat(spec: FileSinkSpec): FileFormat {
  switch (spec.kind) {
    case 'json':
      return { extension: 'ndjson', encode: async (rows, indexes) => encodeText(jsonLines(rows, indexes)) }
    case 'csv':
      return { extension: 'csv', encode: async (rows, indexes) => encodeText(csvLines(rows, indexes)) }
    case 'parquet': {
      const compression = spec.compression ?? 'snappy'
      return {
        extension: 'parquet',
        encode: async (rows, indexes) =>
          (await import('./parquet-format.ts')).encodeParquet(rows, indexes, compression),
      }
    }
    default:
      return unreachable(spec.kind)
  }
}

/** One JSON object a line: times as ISO-8601 in UTC, decimals as numbers with all their digits. */
function jsonLines(rows: ResultBatch, indexes: Int32Array): string {
  const names = rows.fields.map((field) => JSON.stringify(field.name))
  const lines: string[] = []
  for (const row of indexes) {
    const members = rows.fields.map(
      (field, index) => `${names[index]}:${jsonCell(rows.columns[index] as Column, field, row)}`,
    )
    lines.push(`{${members.join(',')}}\n`)
  }
  return lines.join('')
}

function jsonCell(column: Column, field: Field, row: number): string {
  const value = cellValue(column, field, row)
  if (value === null) return 'null'
  if (field.type === 'json') return String(value)
  if (field.type === 'timestamp') return JSON.stringify(cellText(column, field, row))
  return field.type === 'decimal' ? cellText(column, field, row) : JSON.stringify(value)
}

/** RFC 4180 with a header. Null is empty, empty text is `""`. */
function csvLines(rows: ResultBatch, indexes: Int32Array): string {
  const lines = [rows.fields.map((field) => csvText(field.name)).join(',')]
  for (const row of indexes) {
    lines.push(rows.fields.map((field, index) => csvCell(rows.columns[index] as Column, field, row)).join(','))
  }
  return `${lines.join('\r\n')}\r\n`
}

function csvCell(column: Column, field: Field, row: number): string {
  const value = cellValue(column, field, row)
  if (value === null) return ''
  const text = cellText(column, field, row)
  return field.type === 'string' || field.type === 'json' ? csvText(guarded(text)) : text
}

function csvText(text: string): string {
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** A spreadsheet takes a text that begins like a formula for one; a quote in front makes it text again. */
function guarded(text: string): string {
  return /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text
}
