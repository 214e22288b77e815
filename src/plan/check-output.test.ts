import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clickEvent } from '../event/click-event.ts'
import { count } from './aggregate.ts'
import { checkTraits } from './check-output.ts'
import { logSource } from './connectors.ts'
import { col } from './expression.ts'
import { coalesce } from './functions.ts'
import { queryChain } from './query-chain.ts'
import { keyColumns, resultFields } from './result-schema.ts'
import type { SinkTraits } from './sink-traits.ts'
import { type Query, stream } from './stream.ts'
import { session, tumbling } from './window.ts'

const events = stream(logSource('events'), clickEvent)
  .derive({ country_or_none: coalesce(col('country'), 'none') })
  .withWatermark('event_time', '2 minutes')

/** What is wrong with a sink of these traits for the rows of a query. */
function problemsOf({ root }: Query, traits: SinkTraits): string[] {
  const query = { name: 'q', root, sinks: [] }
  const rows = { output: queryChain(root).output, fields: resultFields(query), key: keyColumns(query) }
  return checkTraits(traits, 'store', rows, 'sink').map(({ path, message, hint }) => `${path}: ${message} (${hint})`)
}

test('a sink that cannot delete is refused for sessions in update mode, and for nothing else', () => {
  const sessions = events.groupBy('user_id').window(session('30m')).aggregate({ n: count() })
  const pages = events.groupBy('user_id').window(tumbling('1m')).aggregate({ n: count() })
  const store: SinkTraits = { mode: 'update', deletes: false, key: undefined }
  assert.deepEqual(problemsOf(sessions, store), [
    "sink: store cannot take back rows, and sessions that grow together vanish (use mode 'append', in which each session comes once, when it has closed)",
  ])
  assert.deepEqual(problemsOf(sessions, { ...store, deletes: true }), [])
  assert.deepEqual(problemsOf(sessions, { ...store, mode: 'append' }), [])
  assert.deepEqual(problemsOf(pages, store), [])
})

test('a key column may not be null: coalesced it is not', () => {
  const key = ['window_start', 'window_end', 'country', 'user_id']
  const traits: SinkTraits = { mode: 'update', deletes: true, key }
  const byCountry = events.groupBy('country', 'user_id').window(tumbling('1m')).aggregate({ n: count() })
  assert.deepEqual(problemsOf(byCountry, traits), [
    "sink.key: the key column \"country\" may be null (group by a column that is not: .derive({ country_or_none: coalesce(col('country'), 'none') }))",
  ])
  const coalesced = events.groupBy('country_or_none').window(tumbling('1m')).aggregate({ n: count() })
  assert.deepEqual(problemsOf(coalesced, { ...traits, key: ['window_start', 'country_or_none'] }), [])
  assert.deepEqual(problemsOf(coalesced, { ...traits, key: ['country_or_non'] }), [
    'sink.key: there is no column "country_or_non" (did you mean "country_or_none"?)',
  ])
  assert.equal(problemsOf(byCountry, { ...traits, key: 'query' }).length, 1)
  assert.deepEqual(problemsOf(coalesced, { ...traits, key: 'query' }), [])
})
