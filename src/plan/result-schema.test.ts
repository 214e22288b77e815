import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boolean, decimal, defineSchema, float64, int32, int64, text, timestamp, uuid } from '../batch/schema.ts'
import { approxCountDistinct, avg, count, countDistinct, max, min, sum } from './aggregate.ts'
import { fileSource } from './connectors.ts'
import type { QueryPlan } from './node.ts'
import { keyColumns, resultFields } from './result-schema.ts'
import { type Query, stream } from './stream.ts'
import { tumbling } from './window.ts'

const rows = stream(
  fileSource('-'),
  defineSchema({
    at: timestamp({ required: true }),
    user: text({ required: true, cardinality: 'high' }),
    page: text({ from: 'url' }),
    id: uuid(),
    bot: boolean(),
    price: decimal(4),
    seconds: float64(),
    bytes: int64(),
    status: int32(),
  }),
).withWatermark('at', '1s')

test('a result row has the window, then the keys, then the aggregates', () => {
  const query = named(rows.groupBy('page', 'user').window(tumbling('1m')).aggregate({ views: count() }))
  assert.deepEqual(types(query), {
    window_start: 'timestamp required',
    window_end: 'timestamp required',
    page: 'string',
    user: 'string required',
    views: 'int64 required',
  })
  assert.deepEqual(keyColumns(query), ['window_start', 'window_end', 'page', 'user'])
})

test('a key column has the type of its column and nothing of how it is read from events', () => {
  const query = named(rows.groupBy('page', 'id', 'bot', 'price').window(tumbling('1m')).aggregate({ n: count() }))
  assert.deepEqual(resultFields(query).slice(2, 6), [
    { name: 'page', type: 'string', required: false },
    { name: 'id', type: 'uuid', required: false },
    { name: 'bot', type: 'boolean', required: false },
    { name: 'price', type: 'decimal', required: false, scale: 4 },
  ])
})

test('counts are never null; sums, means and extremes are null for a group without values', () => {
  const query = named(
    rows.window(tumbling('1m')).aggregate({
      rows: count(),
      users: countDistinct('user'),
      about: approxCountDistinct('user'),
      revenue: sum('price'),
      time: sum('seconds'),
      traffic: sum('bytes'),
      codes: sum('status'),
      mean_price: avg('price'),
      mean_time: avg('seconds'),
      mean_bytes: avg('bytes'),
      first_at: min('at'),
      cheapest: min('price'),
      last_page: max('page'),
      worst: max('status'),
    }),
  )
  assert.deepEqual(types(query), {
    window_start: 'timestamp required',
    window_end: 'timestamp required',
    rows: 'int64 required',
    users: 'int64 required',
    about: 'int64 required',
    revenue: 'decimal(4)',
    time: 'float64',
    traffic: 'int64',
    codes: 'int64',
    mean_price: 'decimal(6)',
    mean_time: 'float64',
    mean_bytes: 'float64',
    first_at: 'timestamp',
    cheapest: 'decimal(4)',
    last_page: 'string',
    worst: 'int32',
  })
  assert.deepEqual(keyColumns(query), ['window_start', 'window_end'])
})

function named({ root }: Query): QueryPlan {
  return { name: 'query', root, sinks: [] }
}

function types(query: QueryPlan): Record<string, string> {
  return Object.fromEntries(
    resultFields(query).map(({ name, type, scale, required }) => [
      name,
      `${type}${scale === undefined ? '' : `(${scale})`}${required ? ' required' : ''}`,
    ]),
  )
}
