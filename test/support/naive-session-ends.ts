/** When sessions close before their gap is over. */
export interface SessionEnds {
  readonly gapMs: number
  readonly delayMs: number
  /** Whether events of type `end` end their session. */
  readonly ends: boolean
  readonly durationMaxMs: number
  readonly eventsMax: number
}

/** An event as sessions see it. */
export interface SessionEvent {
  readonly ts: number
  readonly user: string
  readonly type: string
  readonly n: number
}

/** A session that has closed. */
export interface ClosedSession {
  readonly session_start: number
  readonly session_end: number
  readonly duration_ms: number
  readonly user: string
  readonly events: number
  /** Sum of `n`. */
  readonly total: number
}

/** What a session or the mark of one is in the model. */
interface ModelSession {
  readonly user: string
  clicks: SessionEvent[]
  closed: boolean
}

/**
 * Sessions that close early, by the definition: judged at the end of an epoch; what was closed refuses rows near it until its gap is over.
 */
export class NaiveSessions {
  readonly #rules: SessionEnds
  #sessions: ModelSession[] = []
  #watermarkMs = Number.NEGATIVE_INFINITY
  #newestMs = Number.NEGATIVE_INFINITY

  constructor(rules: SessionEnds) {
    this.#rules = rules
  }

  epoch(clicks: readonly SessionEvent[], flush: boolean): { readonly rows: ClosedSession[]; readonly late: number } {
    const accepted = clicks.filter((click) => click.ts > this.#watermarkMs && !this.#refused(click))
    for (const click of accepted) this.#take(click)
    this.#newestMs = Math.max(this.#newestMs, ...clicks.map(({ ts }) => ts))
    this.#watermarkMs = flush
      ? Number.POSITIVE_INFINITY
      : Math.max(this.#watermarkMs, this.#newestMs - this.#rules.delayMs)
    const closing = this.#sessions.filter((one) => !one.closed && (this.#over(one) || this.#early(one)))
    for (const one of closing) one.closed = true
    this.#sessions = this.#sessions.filter((one) => !this.#over(one))
    return { rows: closing.map(rowOf).sort(byStart), late: clicks.length - accepted.length }
  }

  #refused({ ts, user }: SessionEvent): boolean {
    return this.#sessions.some(
      (one) => one.closed && one.user === user && ts >= firstMs(one) - this.#rules.gapMs && ts <= lastMs(one),
    )
  }

  #take(click: SessionEvent): void {
    const { gapMs } = this.#rules
    const near = this.#sessions.filter(
      (one) =>
        !one.closed && one.user === click.user && click.ts >= firstMs(one) - gapMs && click.ts <= lastMs(one) + gapMs,
    )
    const clicks = [...near.flatMap((one) => one.clicks), click].sort((a, b) => a.ts - b.ts)
    this.#sessions = [
      ...this.#sessions.filter((one) => !near.includes(one)),
      { user: click.user, clicks, closed: false },
    ]
  }

  #over(session: ModelSession): boolean {
    return lastMs(session) + this.#rules.gapMs <= this.#watermarkMs
  }

  #early(session: ModelSession): boolean {
    const { ends, durationMaxMs, eventsMax } = this.#rules
    const last = lastMs(session)
    if (ends && session.clicks.some(({ type, ts }) => type === 'end' && ts >= last)) return true
    return last - firstMs(session) > durationMaxMs || session.clicks.length > eventsMax
  }
}

/** Orders sessions as results are. */
export function byStart(left: ClosedSession, right: ClosedSession): number {
  return left.session_start - right.session_start || left.user.localeCompare(right.user)
}

function rowOf(session: ModelSession): ClosedSession {
  const { user, clicks } = session
  return {
    session_start: firstMs(session),
    session_end: lastMs(session),
    duration_ms: lastMs(session) - firstMs(session),
    user,
    events: clicks.length,
    total: clicks.reduce((total, { n }) => total + n, 0),
  }
}

function firstMs({ clicks }: ModelSession): number {
  return clicks[0].ts
}

function lastMs({ clicks }: ModelSession): number {
  return clicks[clicks.length - 1].ts
}
