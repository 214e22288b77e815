import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clickEvent } from '../event/click-event.ts'
import { count, elapsed, sum } from './aggregate.ts'
import { logSource } from './connectors.ts'
import { col, eq, isIn, isNull, not } from './expression.ts'
import { coalesce, cond, lower, urlHost } from './functions.ts'
import { required } from './rule.ts'
import { type Query, stream } from './stream.ts'
import { usedColumns } from './used-columns.ts'
import { session, tumbling } from './window.ts'

const source = stream(logSource('events'), clickEvent, {
  rules: [required('amount', { when: { column: 'event_type', values: ['purchase'] } })],
})
const always = ['amount', 'event_type']

function used({ root }: Query): string[] {
  return [...usedColumns(root)].sort()
}

test('every step names the columns that it looks at, however deep in an expression', () => {
  const events = source.withWatermark('event_time', '1m')
  const windowed = events
    .where(not(isNull(lower(col('os')))))
    .derive({ host: urlHost(cond([eq(col('device'), 'bot'), col('referrer')], col('page_url'))) })
    .dedupe('event_id', { within: '1m' })
    .groupBy('host')
    .window(session('30m', { endWhen: isIn(col('search_query'), ['bye']) }))
    .aggregate({ paid: sum('price').where(eq(coalesce(col('country'), 'x'), 'DE')) })
  assert.deepEqual(used(windowed), [
    ...['amount', 'country', 'device', 'event_id', 'event_time', 'event_type', 'host', 'os', 'page_url', 'price'],
    ...['referrer', 'search_query'],
  ])
  const features = events
    .withSessionFeatures({
      by: 'session_id',
      window: tumbling('5m'),
      features: { n: count().where(eq(col('browser'), 'x')), paid: sum('quantity'), seconds: elapsed() },
    })
    .select({ n: 'n' })
  assert.deepEqual(used(features), ['amount', 'browser', 'event_time', 'event_type', 'n', 'quantity', 'session_id'])
})

test('a select uses what it names, and without columns all of them', () => {
  assert.deepEqual(used(source.select({ page: 'page_url' })), [...always, 'page_url'])
  assert.equal(used(source.select()).length, clickEvent.fields.length)
})
