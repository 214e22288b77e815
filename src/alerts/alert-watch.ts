import type { AlertRule, AlertSample } from './alert-rule.ts'

/** An alert that began or ended. */
export interface AlertChange {
  readonly rule: string
  readonly series: string
  readonly state: 'firing' | 'resolved'
  /** The number that made it so. */
  readonly value: number
  readonly atMs: number
}

/**
 * Judges numbers by a rule, each series by itself.
 *
 *   fine --beyond the limit--> pending --for long enough--> firing --back over `clear`--> fine
 *            pending goes back to fine at once when the number does
 *
 * A series without a number keeps its state: nothing is known of it.
 */
export class AlertWatch {
  readonly #rule: AlertRule
  readonly #pendingSinceMs = new Map<string, number>()
  readonly #firing: Set<string>

  /** `firing` holds the series that were when somebody last looked. */
  constructor(rule: AlertRule, firing: Iterable<string> = []) {
    this.#rule = rule
    this.#firing = new Set(firing)
  }

  /** Series whose alert has begun and not ended. */
  get firing(): ReadonlySet<string> {
    return this.#firing
  }

  /** Takes in the numbers of one moment, and gives what changes by them. */
  observe(nowMs: number, samples: readonly AlertSample[]): AlertChange[] {
    const changes: AlertChange[] = []
    const change = (state: AlertChange['state'], { series, value }: AlertSample): void => {
      changes.push({ rule: this.#rule.name, series, state, value, atMs: nowMs })
    }
    for (const sample of samples) {
      const { series, value } = sample
      if (this.#firing.has(series)) {
        if (this.#beyond(value, this.#rule.clear)) continue
        this.#firing.delete(series)
        change('resolved', sample)
      } else if (this.#beyond(value)) {
        const sinceMs = this.#pendingSinceMs.get(series) ?? nowMs
        this.#pendingSinceMs.set(series, sinceMs)
        if (nowMs - sinceMs < this.#rule.forMs) continue
        this.#pendingSinceMs.delete(series)
        this.#firing.add(series)
        change('firing', sample)
      } else {
        this.#pendingSinceMs.delete(series)
      }
    }
    return changes
  }

  #beyond(value: number, limit?: number): boolean {
    const { above, below } = this.#rule
    return above === undefined ? value < (limit ?? below ?? Number.NaN) : value > (limit ?? above)
  }
}
