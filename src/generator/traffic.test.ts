import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EVENT_TYPES, GeneratedEvent } from './generated-event.ts'
import { generatorSettings } from './settings.ts'
import { CATEGORIES, FIRST_CATEGORY, FIRST_PRODUCT, sitePaths } from './site-map.ts'
import { Traffic } from './traffic.ts'

const START_MS = Date.UTC(2026, 10, 24)

interface Seen {
  readonly type: string
  readonly user: number
  readonly session: number
  readonly path: string
  readonly from: string | undefined
  readonly item: number
  readonly quantity: number
  readonly amountCents: number
  readonly durationSeconds: number
  readonly timeMs: number
  readonly partition: number
}

function seen(given: object, count: number): Seen[] {
  const settings = generatorSettings(given)
  const paths = sitePaths(settings.productsPerCategory)
  const traffic = new Traffic(settings, START_MS)
  const event = new GeneratedEvent()
  return Array.from({ length: count }, () => {
    traffic.next(event)
    const { type, page, referrer, ...rest } = event
    return { ...rest, type: EVENT_TYPES[type], path: paths[page], from: paths[referrer] }
  })
}

function bySession(events: readonly Seen[]): Seen[][] {
  return [...Map.groupBy(events, (event) => event.session).values()]
}

test('one event in twenty begins a session, all others extend one of at most so many', () => {
  const events = seen({ activeSessionsMax: 500 }, 100_000)
  const starts = events.filter((event) => event.type === 'session_start')
  assert.ok(Math.abs(starts.length / events.length - 0.05) < 0.003, `${starts.length} starts`)
  const sessions = bySession(events)
  assert.equal(sessions.length, starts.length)
  assert.ok(sessions.every(([first]) => first.type === 'session_start'))
  assert.ok(sessions.every((events) => events.slice(0, -1).every(({ type }) => type !== 'session_end')))
  // A session lies in the pool from its first event to its last; counted by their ends, never more than fit are there at once.
  const lastOf = new Map(events.map(({ session }, index) => [session, index]))
  let open = 0
  let openMax = 0
  for (const [index, event] of events.entries()) {
    if (event.type === 'session_start') openMax = Math.max(openMax, ++open)
    if (lastOf.get(event.session) === index) open--
  }
  assert.ok(openMax > 300 && openMax <= 500, `${openMax} at once`)
})

test('some sessions are short and some long, by chance: the mean is twenty events', () => {
  const sessions = bySession(seen({ activeSessionsMax: 200, users: 1_000_000 }, 100_000))
  const share = (min: number, max: number): number =>
    sessions.filter(({ length }) => length >= min && length <= max).length / sessions.length
  assert.ok(Math.abs(100_000 / sessions.length - 20) < 1)
  // Pushed out at random: nearly as many short sessions as a geometric distribution has, and its long tail.
  assert.ok(share(1, 2) > 0.03 && share(1, 2) < 0.2, `${share(1, 2)} short`)
  assert.ok(share(40, 1e6) > 0.05 && share(40, 1e6) < 0.25, `${share(40, 1e6)} long`)
})

test('the pool is never larger than its setting, and one of a single session works', () => {
  const events = seen({ activeSessionsMax: 1 }, 5_000)
  for (const [index, event] of events.entries()) {
    if (index > 0 && event.type !== 'session_start') assert.equal(event.session, events[index - 1].session)
  }
})

test('a session belongs to one user with one device, and nobody is in two sessions at once', () => {
  const events = seen({ users: 1_000, activeSessionsMax: 400 }, 50_000)
  const current = new Map<number, number>()
  for (const { user, session } of events) {
    const before = current.get(user)
    assert.ok(before === undefined || before <= session, `user ${user} is back in session ${before}`)
    current.set(user, session)
  }
  for (const session of bySession(events)) assert.equal(new Set(session.map(({ user }) => user)).size, 1)
})

test('the longer a session, the likelier a purchase', () => {
  const sessions = bySession(seen({ activeSessionsMax: 1_000, purchaseProbabilityScaling: 0.002 }, 400_000))
  const rates = [5, 15, 30].map((position) => {
    const reached = sessions.filter((events) => events.length >= position + 5)
    const bought = reached.filter((events) =>
      events.slice(position, position + 5).some(({ type }) => type === 'purchase'),
    )
    return bought.length / reached.length
  })
  assert.ok(rates[0] > 0.01 && rates[1] > 1.5 * rates[0] && rates[2] > 1.5 * rates[1], `${rates}`)
  const flat = seen({ purchaseProbabilityBase: 0, purchaseProbabilityScaling: 0 }, 50_000)
  assert.ok(!flat.some(({ type }) => type === 'purchase'))
})

test('a purchase follows cart and checkout, and costs what was in the cart', () => {
  const sessions = bySession(seen({ activeSessionsMax: 500 }, 200_000))
  let purchases = 0
  for (const events of sessions) {
    for (const [index, event] of events.entries()) {
      assert.equal(event.amountCents > 0, event.type === 'purchase')
      if (event.type !== 'purchase') continue
      purchases++
      const [added, cart, checkout] = events.slice(index - 3, index)
      assert.equal(added.type, 'cart_add')
      assert.deepEqual([added.item, added.quantity], [event.item, event.quantity])
      assert.deepEqual([cart.path, checkout.path, event.path], ['/cart', '/checkout', '/checkout/complete'])
      assert.equal(event.amountCents % event.quantity, 0)
    }
  }
  assert.ok(purchases > 500, `${purchases} purchases`)
})

test('a visitor stays on the page or follows a link from it', () => {
  for (const events of bySession(seen({ activeSessionsMax: 200 }, 50_000))) {
    for (const [index, event] of events.entries()) {
      const before = events[index - 1]
      if (before === undefined) assert.equal(event.from, undefined)
      else if (event.path !== before.path) assert.equal(event.from, before.path)
    }
  }
})

test('the time spent is that since the event before', () => {
  for (const events of bySession(seen({ activeSessionsMax: 200, eventsPerSecond: 10 }, 20_000))) {
    for (const [index, event] of events.entries()) {
      if (event.type !== 'page_view') continue
      const spentMs = event.timeMs - events[index - 1].timeMs
      assert.equal(event.durationSeconds, Math.min(1800, Math.floor(spentMs / 1000)))
    }
  }
})

test('event i happens i times the distance after the start', () => {
  const events = seen({ eventsPerSecond: 3 }, 10)
  assert.deepEqual(
    events.map(({ timeMs }) => timeMs - START_MS),
    [0, 333, 666, 1000, 1333, 1666, 2000, 2333, 2666, 3000],
  )
})

test('users and products have a popularity by Zipf', () => {
  // A pool of one session: nobody is passed over for being there already.
  const events = seen({ users: 1_000, userZipfExponent: 1, activeSessionsMax: 1, newSessionProbability: 1 }, 200_000)
  const counts = new Array<number>(1_000).fill(0)
  for (const { user } of events) counts[user]++
  const harmonic = counts.reduce((sum, _, rank) => sum + 1 / (rank + 1), 0)
  for (const rank of [0, 1, 4, 9, 49]) {
    const expected = events.length / (rank + 1) / harmonic
    assert.ok(Math.abs(counts[rank] / expected - 1) < 0.15, `rank ${rank}: ${counts[rank]} of ${expected}`)
  }
  const views = seen({ activeSessionsMax: 500 }, 200_000).filter(({ path }) => path.startsWith('/product/shoes/'))
  const first = views.filter(({ path }) => path.endsWith('-0')).length
  const fourth = views.filter(({ path }) => path.endsWith(`-${3 * CATEGORIES.length}`)).length
  assert.ok(first / fourth > 3 && first / fourth < 5.5, `${first} to ${fourth}`)
})

test('all events of a user are in one partition, and all partitions get some', () => {
  const events = seen({ partitions: 7 }, 50_000)
  const partitions = Map.groupBy(events, ({ user }) => user)
  for (const [user, all] of partitions) {
    assert.equal(new Set(all.map(({ partition }) => partition)).size, 1, `user ${user}`)
  }
  assert.equal(new Set(events.map(({ partition }) => partition)).size, 7)
})

test('pages are numbered as the site map draws them', () => {
  const paths = sitePaths(2)
  assert.equal(new Set(paths).size, paths.length)
  assert.equal(paths[FIRST_CATEGORY], `/category/${CATEGORIES[0]}`)
  assert.match(paths[FIRST_PRODUCT + CATEGORIES.length + 1], /^\/product\/jackets\/.*-13$/)
  assert.equal(paths.length, FIRST_PRODUCT + 2 * CATEGORIES.length)
})
