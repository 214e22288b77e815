import { Random } from '../../src/base/random.ts'

/** When the first session begins. */
const START_MS = Date.UTC(2026, 4, 4, 8)
const SESSION_GAP_MS = 4_000

/** A click of a shop as a canonical event. */
type Click = {
  readonly event_time: string
  readonly event_type: string
  readonly user_id: string
  readonly session_id: string
  readonly device: string
  readonly amount?: number
}

/**
 * Clicks of so many sessions by event time: who has put something into the cart buys within a few minutes six times out of ten, on a phone
 * three times; nobody else buys.
 */
export function shopClicks(sessions: number, seed: number): Click[] {
  const random = new Random(seed)
  const clicks = Array.from({ length: sessions }, (_, session) => sessionClicks(session, random))
  return clicks.flat().sort((left, right) => (left.event_time < right.event_time ? -1 : 1))
}

function sessionClicks(session: number, random: Random): Click[] {
  let timeMs = START_MS + session * SESSION_GAP_MS
  const device = random.chance(0.5) ? 'mobile' : 'desktop'
  const click = (event_type: string): Click => {
    timeMs += 1 + random.below(60_000)
    const event_time = new Date(timeMs).toISOString()
    const amount = event_type === 'purchase' ? { amount: 20 } : {}
    return { event_time, event_type, user_id: `u${session % 500}`, session_id: `s${session}`, device, ...amount }
  }
  const clicks = Array.from({ length: 1 + random.below(6) }, () => click('page_view'))
  if (!random.chance(0.3)) return clicks
  clicks.push(click('cart_add'))
  if (random.chance(device === 'mobile' ? 0.3 : 0.6)) clicks.push(click('purchase'))
  return clicks
}
