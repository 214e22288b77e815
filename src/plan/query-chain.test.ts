import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clickEvent } from '../event/click-event.ts'
import { count } from './aggregate.ts'
import { logSource } from './connectors.ts'
import { col, eq } from './expression.ts'
import { queryChain } from './query-chain.ts'
import { stream } from './stream.ts'
import { tumbling } from './window.ts'

const [first, second, third, fourth] = ['a', 'b', 'c', 'd'].map((page) => eq(col('page_url'), page))
assert.ok(first && second && third && fourth)

test('a chain tells filters in front of the watermark from those behind it, in the order of the rows', () => {
  const query = stream(logSource('events'), clickEvent)
    .where(first)
    .where(second)
    .withWatermark('event_time', '2 minutes')
    .where(third)
    .where(fourth)
    .window(tumbling('1 minute'))
    .aggregate({ views: count() })
  const chain = queryChain(query.root)
  assert.deepEqual(chain.filtersBefore, [first, second])
  assert.equal(chain.watermark?.delayMs, 120_000)
  assert.deepEqual(chain.filtersAfter, [third, fourth])
  assert.deepEqual(chain.source.source, { kind: 'log', topic: 'events', from: 'earliest' })
  assert.equal(chain.aggregate, query.root)
})

test('without a watermark all filters are in front of it', () => {
  const query = stream(logSource('events'), clickEvent)
    .where(first)
    .where(second)
    .window(tumbling('1 minute'))
    .aggregate({ views: count() })
  const chain = queryChain(query.root)
  assert.deepEqual(chain.filtersBefore, [first, second])
  assert.equal(chain.watermark, undefined)
  assert.deepEqual(chain.filtersAfter, [])
})
