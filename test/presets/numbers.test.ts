// The windows, delays and triggers that the five source systems tell of, as their texts have them.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PROFILES } from '../../src/generator/profiles.ts'
import { generatorSettings } from '../../src/generator/settings.ts'
import { PRESETS } from '../../src/pipelines/index.ts'
import type { PipelinePlan } from '../../src/plan/node.ts'

const SECONDS = 1_000
const MINUTES = 60_000

/** In ms. Steps that a query does not have are absent. */
interface Numbers {
  readonly topic: string
  readonly trigger: string
  readonly delayMs: number
  readonly dedupeMs?: number
  /** By query: the size of its windows, for sliding ones with the slide, for sessions the gap. */
  readonly windows: Readonly<Record<string, readonly (string | number)[]>>
}

const WANTED: Readonly<Record<string, Numbers>> = {
  // A13, A18, A19
  'online-model': {
    topic: 'clickstream_v2',
    trigger: '10 seconds',
    delayMs: 10 * SECONDS,
    windows: {
      purchases_per_user: ['tumbling', 24 * 60 * MINUTES],
      features: ['tumbling', 5 * MINUTES],
      predictions: ['tumbling', 5 * MINUTES],
      model_metrics: ['tumbling', 5 * MINUTES],
      model_weights: ['tumbling', 5 * MINUTES],
    },
  },
  // B7, B8, B15-B18
  'page-geo-sessions': {
    topic: 'events',
    trigger: '10 seconds',
    delayMs: 10 * SECONDS,
    windows: {
      page_metrics: ['tumbling', 20 * SECONDS],
      geo_metrics: ['tumbling', 30 * SECONDS],
      sessions: ['session', 30 * SECONDS],
    },
  },
  // C3-C6
  'url-device-activity': {
    topic: 'clickstream',
    trigger: '1 minute',
    delayMs: 10 * MINUTES,
    dedupeMs: 10 * MINUTES,
    windows: {
      url_counts: ['sliding', 5 * MINUTES, 1 * MINUTES],
      device_counts: ['sliding', 5 * MINUTES, 1 * MINUTES],
      user_activity: ['sliding', 5 * MINUTES, 1 * MINUTES],
    },
  },
  // D1, D5, D18
  ecommerce: {
    topic: 'streaming-events',
    trigger: '30 seconds',
    delayMs: 5 * MINUTES,
    dedupeMs: 10 * MINUTES,
    windows: {
      event_counts: ['tumbling', 1 * MINUTES],
      user_activity: ['sliding', 5 * MINUTES, 1 * MINUTES],
      purchase_metrics: ['tumbling', 10 * MINUTES],
      session_metrics: ['tumbling', 5 * MINUTES],
      device_stats: ['tumbling', 10 * MINUTES],
      user_sessions: ['session', 30 * MINUTES],
      checkout: ['tumbling', 10 * MINUTES],
    },
  },
  // E1, E3-E6
  'user-activity': {
    topic: 'user_activity',
    trigger: '1 second',
    delayMs: 2 * MINUTES,
    windows: {
      page_view_counts: ['tumbling', 1 * MINUTES],
      active_users: ['sliding', 5 * MINUTES, 1 * MINUTES],
      user_sessions: ['session', 15 * MINUTES],
    },
  },
}

describe('the numbers of each source system', () => {
  for (const [name, preset] of PRESETS) {
    test(`are those of ${name}`, () => {
      const plan = preset.build()
      const { topic, trigger, from } = preset.settings
      assert.deepEqual({ topic, trigger, ...numbersOf(plan) }, WANTED[name])
      assert.equal(from, 'earliest')
    })
  }

  test('are those of its producer: how many events, a second or in all, of how many users, how many of them late', () => {
    const told = [...PROFILES].map(([name, { rows, settings }]) => {
      const { users, lateFraction, newSessionProbability } = generatorSettings(settings)
      const rate = PRESETS.get(name)?.settings.rate
      return [name, { rows, rate, users, lateFraction, newSessionProbability }]
    })
    assert.deepEqual(Object.fromEntries(told), {
      // A26
      'online-model': { ...TRAFFIC, newSessionProbability: 0.05 },
      'page-geo-sessions': { ...TRAFFIC, rate: '5', users: 5_000 },
      // C1
      'url-device-activity': { ...TRAFFIC, rows: 10_000_000, users: 1_000 },
      // 65,000 an hour
      ecommerce: { ...TRAFFIC, rate: '18' },
      // E15, E16
      'user-activity': { ...TRAFFIC, rate: '2', users: 20, lateFraction: 1 / 50 },
    })
  })

  // A13
  test('and a load test has a topic of its own, from its end on', () => {
    assert.deepEqual(PRESETS.get('online-model')?.profiles, {
      loadtest: { topic: 'clickstream_loadtest', from: 'latest' },
    })
  })

  test('and each setting for a delay or window changes the queries that it names', () => {
    const delays = [...PRESETS.values()].map(
      (preset) => numbersOf(preset.build({ 'watermark-delay': '7 minutes' })).delayMs,
    )
    assert.deepEqual(new Set(delays), new Set([7 * MINUTES]))
    const windows = { 'page-window': '2 minutes', 'geo-window': '3 minutes', 'session-window': '4 minutes' } as const
    assert.deepEqual(numbersOf(PRESETS.get('page-geo-sessions')?.build(windows)).windows, {
      page_metrics: ['tumbling', 2 * MINUTES],
      geo_metrics: ['tumbling', 3 * MINUTES],
      sessions: ['session', 4 * MINUTES],
    })
    const { user_sessions } = numbersOf(PRESETS.get('user-activity')?.build(windows)).windows
    assert.deepEqual(user_sessions, ['session', 4 * MINUTES])
  })
})

/** Of whose texts say nothing else. */
const TRAFFIC = { rows: undefined, rate: undefined, users: 100_000, lateFraction: 0, newSessionProbability: 0.05 }

/** What a plan says; its queries have one delay and one dedupe, or the test fails. */
function numbersOf(plan: PipelinePlan | undefined): Omit<Numbers, 'topic' | 'trigger'> {
  assert.ok(plan)
  const delays = new Set<number>()
  const dedupes = new Set<number | undefined>()
  const windows: Record<string, (string | number)[]> = {}
  for (const { name, root } of plan.queries) {
    let dedupeMs: number | undefined
    for (let node = root; node.kind !== 'source'; node = node.input) {
      if (node.kind === 'watermark') delays.add(node.delayMs)
      if (node.kind === 'dedupe') dedupeMs = node.withinMs
      if (node.kind !== 'aggregate' && node.kind !== 'session-features') continue
      const { window } = node
      if (window.kind === 'tumbling') windows[name] = [window.kind, window.sizeMs]
      if (window.kind === 'sliding') windows[name] = [window.kind, window.sizeMs, window.slideMs]
      if (window.kind === 'session') windows[name] = [window.kind, window.gapMs]
    }
    dedupes.add(dedupeMs)
  }
  assert.deepEqual([delays.size, dedupes.size], [1, 1])
  const [delayMs = 0] = delays
  const [dedupeMs] = dedupes
  return { delayMs, ...(dedupeMs === undefined ? {} : { dedupeMs }), windows }
}
