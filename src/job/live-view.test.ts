import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resultRows } from '../../test/support/result-rows.ts'
import { queryOutputs } from '../engine/query-outputs.ts'
import { clickEvent, count, global, logSource, memorySink, pipeline, stream, tumbling } from '../index.ts'
import { LiveView } from './live-view.ts'

const events = stream(logSource('events'), clickEvent).withWatermark('event_time', '1 second')
const plan = pipeline('pages')
  .query('by_minute', events.groupBy('page_url').window(tumbling('1 minute')).aggregate({ views: count() }), [
    memorySink(),
  ])
  .query('ever', events.groupBy('page_url').window(global()).aggregate({ views: count() }), [memorySink()])
  .query('rows', events.select({ event_time: 'event_time', page_url: 'page_url' }), [memorySink()])

const [byMinute, ever, rows] = queryOutputs(plan, ['update']).map((output) => new LiveView(output))

test('windows have bounds; a global window and rows as they are have none', () => {
  const roles = [byMinute, ever, rows].map((view) => view?.columns.map(({ role }) => role).join(' '))
  assert.deepEqual(roles, ['window window key value', 'key value', 'value value'])
})

test('the groups of each window are shown, the largest first', () => {
  const fields = queryOutputs(plan, [])[0]?.fields ?? []
  byMinute?.update(
    resultRows(fields, [
      [0, 60_000, '/', 1],
      [0, 60_000, '/cart', 3],
      [60_000, 120_000, '/', 2],
    ]),
  )
  assert.deepEqual(byMinute?.windows(), [
    { startMs: 60_000, endMs: 120_000, closed: false, groups: 1, rows: [['/', 2]] },
    {
      startMs: 0,
      endMs: 60_000,
      closed: false,
      groups: 2,
      rows: [
        ['/cart', 3],
        ['/', 1],
      ],
    },
  ])
})

test('what has no bounds is one window', () => {
  const fields = queryOutputs(plan, [])[1]?.fields ?? []
  ever?.update(
    resultRows(fields, [
      ['/', 1],
      ['/cart', 3],
    ]),
  )
  ever?.update(resultRows(fields, [['/', 4]]))
  assert.deepEqual(ever?.windows(), [
    {
      startMs: 0,
      endMs: 0,
      closed: false,
      groups: 2,
      rows: [
        ['/', 4],
        ['/cart', 3],
      ],
    },
  ])
})
