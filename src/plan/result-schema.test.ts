import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boolean, decimal, defineSchema, float64, int32, int64, text, timestamp, uuid } from '../batch/schema.ts'
import {
  approxCountDistinct,
  avg,
  count,
  countDistinct,
  elapsed,
  first,
  max,
  min,
  quantile,
  sum,
  topK,
} from './aggregate.ts'
import { fileSource } from './connectors.ts'
import { col, lt } from './expression.ts'
import { add, rowProperty, urlHost } from './functions.ts'
import type { QueryPlan } from './node.ts'
import { keyColumns, resultFields } from './result-schema.ts'
import { type Query, stream } from './stream.ts'
import { global, session, tumbling } from './window.ts'

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

test('a session has its bounds in front, a global group its keys only; meta comes last', () => {
  const sessions = named(
    rows
      .groupBy('user')
      .window(session('30m'))
      .aggregate({ entry: first('page'), p: quantile('price', 0.5) }),
  )
  assert.deepEqual(types({ ...sessions, meta: true }), {
    session_start: 'timestamp required',
    session_end: 'timestamp required',
    duration_ms: 'int64 required',
    user: 'string required',
    entry: 'string',
    p: 'float64',
    final: 'boolean required',
    version: 'int64 required',
  })
  assert.deepEqual(keyColumns(sessions), ['session_start', 'user'])
  const users = named(
    rows
      .groupBy('user')
      .window(global())
      .aggregate({ paid: sum('price'), top: topK('page', 3) }),
  )
  assert.deepEqual(types(users), { user: 'string required', paid: 'decimal(4)', top: 'json required' })
  assert.deepEqual(keyColumns(users), ['user'])
})

test('a select has the types of its expressions, and no key', () => {
  const query = named(
    rows.derive({ host: urlHost(col('page')) }).select({
      host: 'host',
      at: 'at',
      cheap: lt(col('price'), 1),
      twice: add(col('status'), col('status')),
      late: rowProperty('late'),
    }),
  )
  assert.deepEqual(types(query), {
    host: 'string',
    at: 'timestamp required',
    cheap: 'boolean',
    twice: 'int64',
    late: 'boolean required',
  })
  assert.deepEqual(keyColumns(query), [])
  const all = named(rows.derive({ host: urlHost(col('page')) }).select())
  assert.deepEqual(Object.keys(types(all)), [
    'at',
    'user',
    'page',
    'id',
    'bot',
    'price',
    'seconds',
    'bytes',
    'status',
    'host',
  ])
})

test('features of sessions are null for rows without one', () => {
  const query = named(
    rows
      .withSessionFeatures({
        by: 'user',
        window: tumbling('5m'),
        features: { clicks: count(), seconds_so_far: elapsed(), paid: sum('price') },
      })
      .select({ clicks: 'clicks', seconds_so_far: 'seconds_so_far', paid: 'paid' }),
  )
  assert.deepEqual(types(query), { clicks: 'int64', seconds_so_far: 'float64', paid: 'decimal(4)' })
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
