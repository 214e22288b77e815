import type { Clock } from '../base/clock.ts'
import { MillraceError } from '../base/error.ts'

const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 10_000

/** Why something has to wait, and until when. */
export interface Trouble {
  readonly message: string
  readonly hint: string
  readonly nextTryMs: number
}

/** What a retry is told. */
export interface RetryOptions {
  readonly clock: Clock
  /** Ends the waiting: the error that is in the way is thrown. */
  readonly signal: AbortSignal
  /** Called with each failure, and with undefined once it works again. */
  readonly tell: (trouble: Trouble | undefined) => void
}

/**
 * Tries until it works: a server that is away comes back, a full disk is freed. Anything but `unavailable` is thrown at once. Nothing is
 * dropped meanwhile and nothing piles up, because whoever waits here reads no more.
 */
export async function untilAvailable<T>(attempt: () => Promise<T>, { clock, signal, tell }: RetryOptions): Promise<T> {
  let troubled = false
  for (let delayMs = RETRY_MS_MIN; ; delayMs = Math.min(RETRY_MS_MAX, delayMs * 2)) {
    try {
      const result = await attempt()
      if (troubled) tell(undefined)
      return result
    } catch (error) {
      if (!(error instanceof MillraceError && error.code === 'unavailable') || signal.aborted) throw error
      // Many that wait for one server shall not all come back at the same moment.
      const waitMs = Math.round(delayMs * (0.5 + Math.random()))
      troubled = true
      tell({ message: error.message, hint: error.hint, nextTryMs: clock.now() + waitMs })
      await clock.sleep(waitMs, signal)
    }
  }
}
