import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../../base/error.ts'

const PAUSE_MS_MIN = 20
const PAUSE_MS_MAX = 500

/** How long to try, and what to do in between. */
export interface RetryOptions {
  /** The last error is thrown after so long. */
  readonly limitMs: number
  readonly signal?: AbortSignal
  /** Called with each error before the next try. */
  readonly onError?: (error: MillraceError) => void
}

/** Runs something again while it throws `unavailable`, with growing pauses. */
export async function retrying<T>(run: () => Promise<T>, options: RetryOptions): Promise<T> {
  const deadline = performance.now() + options.limitMs
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX)) {
    try {
      return await run()
    } catch (error) {
      const passing = error instanceof MillraceError && error.code === 'unavailable'
      if (!passing || options.signal?.aborted || performance.now() + pauseMs > deadline) throw error
      options.onError?.(error)
    }
    await sleep(pauseMs, undefined, options.signal && { signal: options.signal }).catch(() => {})
  }
}
