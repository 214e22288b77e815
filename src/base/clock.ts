/** Where the coordinator's time comes from. Operators never see one: time reaches them in the epoch plan. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number
  /** Resolves after `durationMs` of this clock's time, or at once when `signal` aborts (never rejects). */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep(durationMs, signal) {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      const timer = setTimeout(wake, durationMs)
      signal?.addEventListener('abort', wake, { once: true })
    })
  },
}

/** A clock that stands still until told otherwise; sleeping advances it. The twin of `systemClock` in tests. */
export class VirtualClock implements Clock {
  #nowMs: number

  constructor(nowMs = 0) {
    this.#nowMs = nowMs
  }

  now(): number {
    return this.#nowMs
  }

  advance(durationMs: number): void {
    this.#nowMs += durationMs
  }

  async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    if (!signal?.aborted) this.#nowMs += durationMs
    await Promise.resolve()
  }
}
