/** Input that nobody wishes for: what is held stays within bounds, and where it cannot, the job stops and says what to do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EpochResults, IdleFlag } from '../../src/engine/epoch.ts'
import {
  count,
  countDistinct,
  defineSchema,
  logSource,
  pipeline,
  type Query,
  session,
  stream,
  text,
  timestamp,
  tumbling,
  type WatermarkOptions,
} from '../../src/index.ts'
import { type BenchOptions, EngineBench } from '../support/timeline/engine-bench.ts'

const START_MS = Date.UTC(2026, 0, 1)
const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

const visits = (options: WatermarkOptions = {}, delay = '10s') =>
  stream(
    logSource('visits'),
    defineSchema({ at: timestamp({ format: 'epoch-ms' }), user: text({ cardinality: 'high' }) }),
  ).withWatermark('at', delay, options)

const perMinute = (options: WatermarkOptions = {}): Query =>
  visits(options)
    .groupBy('user')
    .window(tumbling('1 minute'))
    .aggregate({ visits: count(), users: countDistinct('user') })

type Visit = readonly [atMs: number, user: string]

class Site {
  readonly bench: EngineBench
  clockMs = START_MS + 24 * HOUR

  constructor(query: Query, options: Partial<BenchOptions> = {}) {
    const given = { partitions: 2, modes: ['append'], parallelism: 1, rowByRow: false, ...options } as const
    this.bench = new EngineBench(pipeline('hostile').query('q', query), given)
  }

  epoch(visitsByPartition: readonly (readonly Visit[])[], options: { idle?: IdleFlag[]; flush?: boolean } = {}) {
    const lines = visitsByPartition.map((own) => own.map(([at, user]) => JSON.stringify({ at: START_MS + at, user })))
    const { idle = [], flush = false } = options
    return this.bench.run({ lines, clockMs: this.clockMs, idle, ended: [], flush })
  }

  get held(): number {
    return this.bench.engine.status().queries[0]?.stateRows as number
  }
}

for (const parallelism of [1, 2]) {
  test(`one user with 99 % of the events is one group, with ${parallelism} workers`, async () => {
    const site = new Site(perMinute(), { parallelism })
    const seen = new Map<string, number>()
    const note = (results: EpochResults): void => {
      const rows = results.queries[0]?.append
      const [, , , counts] = rows?.columns ?? []
      assert.ok(rows && counts?.kind === 'number')
      for (let row = 0; row < rows.rowCount; row++) {
        const size = (counts.values[row] as number) > 1 ? 'hot' : 'cold'
        seen.set(size, (seen.get(size) ?? 0) + (counts.values[row] as number))
      }
    }
    let heldMax = 0
    for (let minute = 0; minute < 20; minute++) {
      const own = (partition: number): Visit[] =>
        Array.from({ length: 500 }, (_, index): Visit => {
          const user = index % 100 === 0 ? `u${minute}-${partition}-${index}` : 'hot'
          return [minute * MINUTE + index * 100, user]
        })
      note(await site.epoch([own(0), own(1)]))
      heldMax = Math.max(heldMax, site.held)
    }
    note(await site.epoch([[], []], { flush: true }))
    assert.deepEqual(Object.fromEntries(seen), { hot: 20 * 990, cold: 20 * 10 })
    // Eleven groups a minute, and one minute that waits for the delay.
    assert.ok(heldMax <= 22, `${heldMax} groups are held`)
  })

  test(`more groups than may be held end the job with a hint, with ${parallelism} workers`, async () => {
    const crowd = Array.from({ length: 300 }, (_, index): Visit => [index, `u${index}`])
    for (const [what, query] of [
      ['groups', perMinute()],
      ['open sessions', visits().groupBy('user').window(session('30s')).aggregate({ visits: count() })],
    ] as const) {
      const site = new Site(query, { parallelism, groupsMax: 100 })
      await assert.rejects(
        async () => {
          for (const part of [crowd.slice(0, 90), crowd]) await site.epoch([part, part])
        },
        { name: 'MillraceError', code: 'unsupported', message: new RegExp(`more than 100 ${what}`), hint: /use/ },
      )
    }
  })

  test(`four times as many ids are remembered as groups may be held, and no more, with ${parallelism} workers`, async () => {
    const query = visits()
      .dedupe('user', { within: '10 minutes' })
      .window(tumbling('1 minute'))
      .aggregate({ visits: count() })
    const site = new Site(query, { parallelism, groupsMax: 100 })
    const crowd = Array.from({ length: 400 }, (_, index): Visit => [index, `u${index}`])
    await site.epoch([crowd, crowd])
    await assert.rejects(async () => site.epoch([[[400, 'one more']], []]), {
      name: 'MillraceError',
      code: 'unsupported',
      message: /more than 400 ids/,
    })
  })

  test(`groups of closed windows do not count, with ${parallelism} workers`, async () => {
    const site = new Site(perMinute(), { parallelism, groupsMax: 200 })
    for (let minute = 0; minute < 50; minute++) {
      const crowd = Array.from({ length: 45 }, (_, index): Visit => [minute * MINUTE + index, `u${minute}-${index}`])
      await site.epoch([crowd, crowd])
      assert.ok(site.held <= 90 * parallelism)
    }
  })

  test(`a session that never ends is closed by its cap, again and again, with ${parallelism} workers`, async () => {
    const query = visits().groupBy('user').window(session('30 minutes')).aggregate({ visits: count() })
    const site = new Site(query, { parallelism })
    const durations: number[] = []
    let visitsSeen = 0
    const note = (results: EpochResults): void => {
      const [, , duration, , counted] = results.queries[0]?.append?.columns ?? []
      assert.ok(duration?.kind === 'number' && counted?.kind === 'number')
      durations.push(...duration.values)
      for (const value of counted.values) visitsSeen += value
    }
    const visitsMade = 100 * 6
    for (let index = 0; index < visitsMade; index++) {
      const visit: Visit = [index * 10 * MINUTE, 'bot']
      site.clockMs = START_MS + visit[0]
      note(await site.epoch([[visit], [visit]]))
      assert.ok(site.held <= 2, 'the session and the mark of the one before')
    }
    note(await site.epoch([[], []], { flush: true }))
    assert.equal(visitsSeen, 2 * visitsMade)
    const whole = durations.slice(0, -1)
    assert.equal(whole.length, 4)
    assert.ok(whole.every((duration) => duration > 24 * HOUR && duration <= 24 * HOUR + 10 * MINUTE))
  })
}

test('a partition that falls silent holds everything open, up to the limit; once it is idle, windows close', async () => {
  const crowd = (minute: number): Visit[] =>
    Array.from({ length: 10 }, (_, index): Visit => [minute * MINUTE + index, `u${index}`])
  const waiting = new Site(perMinute(), { groupsMax: 100 })
  await assert.rejects(
    async () => {
      for (let minute = 0; minute < 20; minute++) await waiting.epoch([crowd(minute), []])
    },
    { code: 'unsupported', hint: /shorter watermark delay/ },
  )
  const idle = [{ watermark: 0, partition: 1, sinceMs: START_MS }]
  const going = new Site(perMinute(), { groupsMax: 100 })
  for (let minute = 0; minute < 20; minute++) await going.epoch([crowd(minute), []], { idle })
  assert.ok(going.held <= 20)
})

test('a clock that is a year ahead moves nothing; without the guard everything behind it is late', async () => {
  const fates = async (options: WatermarkOptions): Promise<Record<string, number>> => {
    const site = new Site(perMinute(options))
    const total: Record<string, number> = {}
    for (let minute = 0; minute < 10; minute++) {
      site.clockMs = START_MS + minute * MINUTE + 30 * SECOND
      const own: Visit[] = Array.from({ length: 20 }, (_, index) => [minute * MINUTE + index, `u${index}`])
      const ahead: Visit = [365 * 24 * HOUR, 'ahead']
      const results = await site.epoch([
        [...own, ahead],
        [...own, ahead],
      ])
      for (const { fate, rows } of results.ledger) total[fate] = (total[fate] ?? 0) + rows
      assert.ok(site.held <= 42)
    }
    return total
  }
  assert.deepEqual(await fates({}), { accepted: 400, future: 20 })
  assert.deepEqual(await fates({ maxClockSkew: null }), { accepted: 60, late: 360 })
})

test('ids are forgotten with the watermark, and too many at once end the job with a hint', async () => {
  const query = visits()
    .dedupe('user', { within: '1 minute' })
    .window(tumbling('1 minute'))
    .aggregate({ visits: count() })
  const site = new Site(query, { groupsMax: 100 })
  for (let minute = 0; minute < 100; minute += 2) {
    await site.epoch(
      [Array.from({ length: 40 }, (_, index): Visit => [minute * MINUTE + index, `${minute}-${index}`]), []],
      {
        idle: [{ watermark: 0, partition: 1, sinceMs: START_MS }],
      },
    )
  }
  const crowd = Array.from({ length: 500 }, (_, index): Visit => [100 * MINUTE + index, `crowd-${index}`])
  await assert.rejects(site.epoch([crowd, []]), { code: 'unsupported', message: /more than 400 ids/, hint: /within/ })
})

test('ids of several partitions of one worker count together', async () => {
  const query = visits()
    .dedupe('user', { within: '10 minutes', scope: 'partition' })
    .window(tumbling('1 minute'))
    .aggregate({ visits: count() })
  const site = new Site(query, { parallelism: 1, groupsMax: 100 })
  const crowd = Array.from({ length: 200 }, (_, index): Visit => [index, `u${index}`])
  await site.epoch([crowd, crowd])
  await assert.rejects(site.epoch([[[400, 'one more']], []]), { code: 'unsupported', message: /more than 400 ids/ })
})

test('too many rows that wait for the watermark end the job with a hint', async () => {
  const query = visits({}, '1 hour')
    .withSessionFeatures({ by: 'user', window: tumbling('5 minutes'), features: { visits: count() } })
    .select()
  const site = new Site(query, { groupsMax: 100 })
  const crowd = Array.from({ length: 101 }, (_, index): Visit => [index, 'u'])
  await assert.rejects(site.epoch([crowd, []]), { code: 'unsupported', message: /more than 100 rows/, hint: /delay/ })
})
