import { cellText } from '../batch/cell.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { Field } from '../batch/schema.ts'
import type { ConsoleSinkSpec } from '../plan/connectors.ts'
import type { Sink, SinkContext } from './sink.ts'

/** Prints an epoch's rows as a table once they are committed: a view that keeps nothing. */
export function consoleSink(spec: ConsoleSinkSpec, { name, query, print }: SinkContext): Sink {
  const tables = new Map<number, string>()
  return {
    name,
    target: 'terminal',
    view: true,
    async progress() {
      return undefined
    },
    async open() {
      return undefined
    },
    async prepare({ epoch }, rows) {
      if (rows.rowCount > 0) tables.set(epoch, `${query}\n${table(rows, spec.rowsMax)}`)
      return { rows: rows.rowCount, bytes: 0, files: [] }
    },
    async commit({ epoch }) {
      const text = tables.get(epoch)
      tables.delete(epoch)
      if (text !== undefined) print(text)
    },
    async forget() {},
    async close() {},
  }
}

/** Rows as text in columns, numbers to the right; says how many are left out. */
export function table(rows: ResultBatch, rowsMax: number): string {
  const shown = Math.min(rows.rowCount, rowsMax)
  const columns = rows.fields.map((field, index) => {
    const column = rows.columns[index]
    const cells = Array.from({ length: shown }, (_, row) => (column ? printable(cellText(column, field, row)) : ''))
    const width = Math.max(field.name.length, ...cells.map((cell) => cell.length))
    const align = (text: string): string => (isNumber(field) ? text.padStart(width) : text.padEnd(width))
    return [field.name, ...cells].map(align)
  })
  const lines = Array.from({ length: shown + 1 }, (_, line) =>
    `  ${columns.map((cells) => cells[line]).join('  ')}`.trimEnd(),
  )
  if (rows.rowCount > shown) lines.push(`  ... and ${rows.rowCount - shown} more`)
  return `${lines.join('\n')}\n`
}

function isNumber(field: Field): boolean {
  return ['decimal', 'float64', 'int64', 'int32'].includes(field.type)
}

/** Text of events may hold anything: nothing of it may steer a terminal. */
function printable(text: string): string {
  const cut = text.length > 80 ? `${text.slice(0, 79)}…` : text
  return cut.replace(/[\u0000-\u001f\u007f-\u009f]/g, '�')
}
