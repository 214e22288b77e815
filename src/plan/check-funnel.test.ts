import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { clickEvent } from '../event/click-event.ts'
import { count, elapsed } from './aggregate.ts'
import { checkPlan } from './check.ts'
import { logSource } from './connectors.ts'
import { explainPlan } from './explain.ts'
import { col, eq } from './expression.ts'
import { pipeline } from './pipeline.ts'
import { planFromJson, planToJson } from './plan-codec.ts'
import { purchaseWithin } from './predict.ts'
import { resultFields } from './result-schema.ts'
import { type FunnelStream, type Query, type Stream, stream } from './stream.ts'
import { tumbling } from './window.ts'

const source = stream(logSource('events'), clickEvent)
const events = source.withWatermark('event_time', '2 minutes')
const steps = { view: eq(col('event_type'), 'page_view'), buy: eq(col('event_type'), 'purchase') }

function shop(rows: Pick<Stream<Record<'user_id', never>>, 'funnel'>): FunnelStream {
  return rows.funnel({ by: 'user_id', steps, within: '30 minutes' })
}

describe('a funnel', () => {
  test('gives a row for each step, or counts them by window', () => {
    const plan = pipeline('p')
      .query(
        'steps',
        shop(events)
          .where(eq(col('converted'), true))
          .select(),
      )
      .query('conversions', shop(events.dedupe('event_id', { within: '1 hour' })).conversions(tumbling('1 hour')))
    assert.deepEqual(checkPlan(plan), [])
    assert.deepEqual(
      plan.queries.map((query) => resultFields(query).map(({ name, type }) => `${name} ${type}`)),
      [
        [
          'attempt_start timestamp',
          'user_id string',
          'step int32',
          'step_name string',
          'step_time timestamp',
          'converted boolean',
          'seconds decimal',
        ],
        [
          'window_start timestamp',
          'window_end timestamp',
          'step int32',
          'step_name string',
          'entered int64',
          'converted int64',
          'dropped int64',
          'median_seconds float64',
          'mean_seconds decimal',
        ],
      ],
    )
  })

  test('needs a watermark before it, and events, not what was made of them', () => {
    assert.deepEqual(problemsOf(shop(source).select()), [
      'queries.q.funnel: its memory would grow for ever: no watermark comes before it',
    ])
    const features = events.withSessionFeatures({
      by: 'session_id',
      window: tumbling('5 minutes'),
      features: { clicks: count(), seconds: elapsed() },
    })
    assert.deepEqual(problemsOf(shop(features).select()), ['queries.q: funnel follows session features'])
    const predicted = events.predict({ label: purchaseWithin('30 minutes'), features: ['amount'] })
    assert.deepEqual(problemsOf(shop(predicted).select()), ['queries.q: funnel follows predict'])
    assert.deepEqual(problemsOf(shop(events).dedupe('step_name', { within: '1 hour' }).select()), [
      'queries.q: dedupe follows a funnel',
    ])
    assert.deepEqual(problemsOf(shop(shop(events)).select()), ['queries.q.funnel: the query has 2 steps of funnel'])
  })

  test('has steps and somebody who takes them', () => {
    const wrong = events.funnel({
      by: 'props',
      steps: { 'no name': eq(col('event_type'), 1), view: steps.view, VIEW: steps.view },
      within: '0s',
    })
    assert.deepEqual(problemsOf(wrong.select()), [
      'queries.q.funnel.by: a funnel by "props", which is json',
      'queries.q.funnel: within is 0 ms',
      'queries.q.funnel.steps.no name: "no name" is not a name',
      'queries.q.funnel.steps.no name: column "event_type" (text) = 1 (number) cannot be compared',
      'queries.q.funnel.steps.VIEW: there is another step "VIEW"',
    ])
    const { view } = steps
    assert.deepEqual(problemsOf(events.funnel({ by: 'user_id', steps: { view }, within: '1h' }).select()), [
      'queries.q.funnel.steps: a funnel of 1 steps',
    ])
    const clash = source.derive({ step: col('user_id') }).withWatermark('event_time', '1m')
    assert.deepEqual(problemsOf(clash.funnel({ by: 'step', steps, within: '1h' }).select()), [
      'queries.q.funnel.by: there is another column "step"',
    ])
  })

  test('comes back from JSON, and is explained', () => {
    const plan = pipeline('p').query('q', shop(events).conversions(tumbling('1 hour')))
    assert.equal(planToJson(planFromJson(planToJson(plan))), planToJson(plan))
    const lines = explainPlan(plan).split('\n')
    const at = lines.findIndex((line) => line.includes('funnel of'))
    assert.deepEqual(
      lines.slice(at, at + 3).map((line) => line.replace(/^[│├└─ ]+/, '')),
      [
        'funnel of user_id, steps in order, within 30m',
        "view  event_type = 'page_view'",
        "buy   event_type = 'purchase'",
      ],
    )
  })
})

function problemsOf(query: Query): string[] {
  return checkPlan(pipeline('p').query('q', query)).map(({ path, message }) => `${path}: ${message}`)
}
