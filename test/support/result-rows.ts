import { encodeText } from '../../src/base/bytes.ts'
import type { Column } from '../../src/batch/column.ts'
import type { ResultBatch } from '../../src/batch/result-batch.ts'
import type { Field } from '../../src/batch/schema.ts'

/** A value as tests write it: times in ms, decimals in whole units. */
export type Value = string | number | boolean | null

/** Rows of a result, from values by column. */
export function resultRows(
  fields: readonly Field[],
  rows: readonly (readonly Value[])[],
  changes?: readonly number[],
): ResultBatch {
  return {
    fields,
    rowCount: rows.length,
    columns: fields.map((field, index) =>
      column(
        field,
        rows.map((row) => row[index] ?? null),
      ),
    ),
    ...(changes === undefined ? {} : { changes: Uint8Array.from(changes) }),
  }
}

function column(field: Field, values: readonly Value[]): Column {
  switch (field.type) {
    case 'string':
    case 'json':
      return textColumn(values)
    case 'boolean':
      return { kind: 'boolean', values: Uint8Array.from(values, (value) => (value === null ? 255 : Number(value))) }
    case 'int32': {
      const validity = Uint8Array.from(values, (value) => (value === null ? 0 : 1))
      return { kind: 'int32', values: Int32Array.from(values, Number), validity }
    }
    case 'uuid': {
      const bytes = new Uint8Array(values.length * 16)
      for (const [row, value] of values.entries())
        bytes.set(Buffer.from(String(value ?? '').replaceAll('-', ''), 'hex'), row * 16)
      return { kind: 'uuid', bytes, validity: Uint8Array.from(values, (value) => (value === null ? 0 : 1)) }
    }
    default:
      return {
        kind: 'number',
        values: Float64Array.from(values, (value) => (value === null ? Number.NaN : Number(value))),
      }
  }
}

function textColumn(values: readonly Value[]): Column {
  const texts = values.map((value) => (value === null ? undefined : encodeText(String(value))))
  const starts: number[] = []
  let length = 0
  for (const text of texts) {
    starts.push(length)
    length += text?.length ?? 0
  }
  return {
    kind: 'string',
    data: Buffer.concat(texts.map((text) => text ?? new Uint8Array())),
    starts: Int32Array.from(starts),
    lengths: Int32Array.from(texts, (text) => text?.length ?? -1),
  }
}
