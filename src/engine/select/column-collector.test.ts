import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Column } from '../../batch/column.ts'
import { ColumnCollector } from './column-collector.ts'

test('what a decoder leaves behind a null does not come along: the same values are the same bytes when they are read again', () => {
  for (const column of [ints, uuids]) assert.deepEqual(collected(column(7)), collected(column(255)))
})

function collected(column: Column): Column | undefined {
  const collector = new ColumnCollector(1)
  collector.append(column, Int32Array.of(0, 1, 3), 3)
  return collector.finish()
}

/** A value, a null with something behind it, and so on. */
function ints(rest: number): Column {
  return { kind: 'int32', values: Int32Array.of(1, rest, 3, rest), validity: Uint8Array.of(1, 0, 1, 0) }
}

function uuids(rest: number): Column {
  const bytes = new Uint8Array(64).fill(rest)
  bytes.fill(1, 0, 16)
  bytes.fill(3, 32, 48)
  return { kind: 'uuid', bytes, validity: Uint8Array.of(1, 0, 1, 0) }
}
