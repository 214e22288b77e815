import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineSchema, text, timestamp } from '../batch/schema.ts'
import { count } from './aggregate.ts'
import { checkPlan } from './check.ts'
import { duckdb, jsonLines, logSource, postgres, type SinkSpec } from './connectors.ts'
import { type Pipeline, pipeline } from './pipeline.ts'
import { planFromJson, planToJson } from './plan-codec.ts'
import { stream } from './stream.ts'
import { tumbling } from './window.ts'

function withSinks(...sinks: readonly SinkSpec[]): Pipeline {
  const schema = defineSchema({
    event_time: timestamp({ required: true }),
    page_url: text(),
    country: text(),
    Browser: text(),
  })
  const views = stream(logSource('events'), schema)
    .withWatermark('event_time', '1s')
    .groupBy('page_url', 'country')
    .window(tumbling('1 minute'))
    .aggregate({ views: count() })
  return pipeline('p').query('views', views, [...sinks])
}

function problemsOf(...sinks: readonly SinkSpec[]): string[] {
  return checkPlan(withSinks(...sinks)).map(({ message }) => message)
}

test('a table sink takes the key of its query, or one that tells the rows apart as well', () => {
  assert.deepEqual(
    problemsOf(postgres('a'), duckdb('b', { mode: 'update' }), postgres('c', { name: 'c', key: [] })),
    [],
  )
  assert.deepEqual(problemsOf(postgres('a', { key: ['country', 'page_url', 'window_end'], mode: 'update' })), [])
})

test('a key that would let rows overwrite each other is refused, and so is one that names no column', () => {
  assert.deepEqual(problemsOf(postgres('a', { key: ['window_start', 'page_url'] })), [
    'rows that differ in "country" only would overwrite each other',
  ])
  assert.deepEqual(problemsOf(duckdb('a', { key: ['page_url', 'country'] })), [
    'rows that differ in "window_start", "window_end" only would overwrite each other',
  ])
  assert.deepEqual(problemsOf(postgres('a', { key: ['page'] })), ['there is no column "page"'])
  assert.deepEqual(problemsOf(postgres('a', { key: ['page_url', 'page_url', 'country', 'window_end'] })), [
    'a column is named twice',
  ])
  assert.deepEqual(problemsOf(postgres('a', { key: [], mode: 'update' })), ['update mode needs a key'])
})

test('a table has the columns that the sink names, with the key of the query under the names that it has there', () => {
  const columns = { page: 'page_url', land: 'country', from_time: 'window_start', n: 'views' }
  assert.deepEqual(problemsOf(postgres('a', { columns }), duckdb('b', { columns, mode: 'update' })), [])
  const { land: _land, ...fewer } = columns
  assert.deepEqual(problemsOf(postgres('a', { columns: fewer })), [
    'rows that differ in "country" only would overwrite each other',
  ])
  const key = ['from_time', 'page', 'land']
  assert.deepEqual(problemsOf(postgres('a', { columns, key, latest: { view: 'last', per: ['page', 'land'] } })), [])
  const all = { ...columns, to_time: 'window_end' }
  assert.deepEqual(problemsOf(postgres('a', { columns: all })), [])
  assert.deepEqual(problemsOf(postgres('a', { columns: all, key: ['window_start', 'page', 'land'] })), [
    'there is no column "window_start"',
  ])
  assert.deepEqual(problemsOf(duckdb('a', { columns: { n: 'view', N: 'views' }, key: [] })), [
    '"N" is not a name for a table or column',
    'there is no column "view"',
    'there is another column "N"',
  ])
  assert.deepEqual(problemsOf(duckdb('a', { columns: {}, key: [] })), ['the table has no column'])
  const plan = withSinks(postgres('a', { columns: all }))
  assert.equal(planToJson(planFromJson(planToJson(plan))), planToJson(plan))
})

test('a view of the last rows is per a part of the key, under a name of its own', () => {
  const withView = (view: string, ...per: string[]): string[] => problemsOf(postgres('a', { latest: { view, per } }))
  assert.deepEqual(withView('last', 'page_url', 'country'), [])
  const part = 'which is not a part of the key (window_start, window_end, page_url, country)'
  assert.deepEqual(withView('last', 'views'), [`the view "last" is per (views), ${part}`])
  assert.deepEqual(withView('last'), [`the view "last" is per (), ${part}`])
  assert.deepEqual(withView('a', 'page_url'), ['the view is called like its table, "a"'])
  assert.equal(withView('a; drop', 'page_url').length, 1)
})

test('names are such that no database has to be asked what they mean', () => {
  for (const table of ['Views', 'a b', 'a"; drop table x; --', '1a', '', 'a'.repeat(64)]) {
    assert.equal(problemsOf(postgres(table)).length, 1, table)
  }
  assert.deepEqual(problemsOf(postgres('millrace_progress')), [
    'the table "millrace_progress" is one of Millrace\'s own',
  ])
  assert.deepEqual(problemsOf(postgres('a', { schema: 'Public' })), ['"Public" is not a name for a table or column'])
})

test('two sinks of one table are refused; the same name in another place is another table', () => {
  assert.match(
    problemsOf(postgres('a'), postgres('a', { name: 'again' }))[0] ?? '',
    /where "views.postgres" writes already/,
  )
  assert.deepEqual(problemsOf(postgres('a'), postgres('a', { name: 'b', schema: 's' }), duckdb('a')), [])
})

test('a size and a time after which files roll are read as people write them', () => {
  assert.deepEqual(jsonLines('out', { roll: { every: '5 minutes', bytes: '1.5 MB' } }), {
    kind: 'json',
    path: 'out',
    roll: { everyMs: 300_000, bytes: 1_500_000 },
  })
  assert.throws(() => jsonLines('out', { roll: { bytes: '1 parsec' } }), { code: 'invalid-plan' })
  assert.deepEqual(problemsOf(jsonLines('out', { roll: { bytes: 0 } })), ['roll.bytes is 0'])
})

test('a plan as text can be read back, and holds no password', () => {
  const plan = withSinks(postgres('a', { url: 'postgres://me:s3cret%40x@db.example:5432/shop?sslmode=require' }))
  const written = planToJson(plan)
  assert.doesNotMatch(written, /s3cret/)
  assert.match(written, /postgres:\/\/me@db\.example:5432\/shop\?sslmode=require/)
  assert.equal(planToJson(planFromJson(written)), written)
})
