import { createHash } from 'node:crypto'
import { assert } from '../base/assert.ts'
import { formatTime } from '../base/time.ts'
import { cellText } from '../batch/cell.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import type { PartitionSpec } from '../plan/connectors.ts'

const NULL_NAME = '__HIVE_DEFAULT_PARTITION__'
const NAME_BYTES_MAX = 200

/** Rows by the Hive partition that they belong to: folder (`dt=2026-11-24`, empty without partitions) to row indexes. */
export function rowsByPartition(rows: ResultBatch, spec: PartitionSpec | undefined): Map<string, Int32Array> {
  const all = Int32Array.from({ length: rows.rowCount }, (_, row) => row)
  if (!spec) return new Map([['', all]])
  const index = rows.fields.findIndex((field) => field.name === spec.column)
  const field = rows.fields[index]
  const column = rows.columns[index]
  assert(field && column, 'the plan was checked: the partition column exists')
  const lists = new Map<string, number[]>()
  for (const row of all) {
    const text = cellText(column, field, row)
    const value = spec.transform === 'value' ? text : timePart(column, row, spec.transform)
    const folder = `${spec.name}=${partitionValue(nullAt(text, column, row) ? null : value)}`
    const list = lists.get(folder)
    if (list) list.push(row)
    else lists.set(folder, [row])
  }
  return new Map([...lists].map(([folder, list]) => [folder, Int32Array.from(list)]))
}

/** A value as the name of a folder: Hive's escapes, and nothing that means something to a file system. */
export function partitionValue(value: string | null): string {
  if (value === null) return NULL_NAME
  // The text that means null, escaped so that it means itself.
  if (value === NULL_NAME) return `%5F${NULL_NAME.slice(1)}`
  const escaped = value.replace(/[\u0000-\u001f\u007f"#%'*/:=?\\{}[\]^]|[. ]$/g, escapeByte)
  const name = escaped === '' || /^\.+$/.test(escaped) ? [...value].map(escapeByte).join('') || NULL_NAME : escaped
  if (Buffer.byteLength(name) <= NAME_BYTES_MAX) return name
  return `sha256-${createHash('sha256').update(value).digest('hex').slice(0, 40)}`
}

function escapeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

function nullAt(text: string, column: ResultBatch['columns'][number], row: number): boolean {
  if (text !== '') return false
  if (column.kind === 'string') return (column.lengths[row] as number) < 0
  return column.kind !== 'dictionary' || (column.codes[row] as number) < 0
}

function timePart(column: ResultBatch['columns'][number], row: number, transform: 'day' | 'hour'): string {
  assert(column.kind === 'number', 'the plan was checked: the partition column is a time')
  const timeMs = column.values[row] as number
  if (Number.isNaN(timeMs)) return ''
  const text = formatTime(timeMs)
  return transform === 'day' ? text.slice(0, 10) : `${text.slice(0, 10)}-${text.slice(11, 13)}`
}
