import { encodeText } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { crc32c } from '../base/crc32c.ts'
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
  /** Who waits: many that wait for one server shall not all come back at the same moment, so each name has a pace of its own. */
  readonly name: string
}

/**
 * Tries until it works: a server that is away comes back, a full disk is freed. Anything but `unavailable` is thrown at once. Nothing is
 * dropped meanwhile and nothing piles up, because whoever waits here reads no more.
 */
export async function untilAvailable<T>(
  attempt: () => Promise<T>,
  { clock, signal, tell, name }: RetryOptions,
): Promise<T> {
  const pace = 0.5 + (crc32c(encodeText(name)) % 1_000) / 1_000
  let troubled = false
  for (let delayMs = RETRY_MS_MIN; ; delayMs = Math.min(RETRY_MS_MAX, delayMs * 2)) {
    try {
      const result = await attempt()
      if (troubled) tell(undefined)
      return result
    } catch (error) {
      if (!(error instanceof MillraceError && error.code === 'unavailable') || signal.aborted) throw error
      const waitMs = Math.round(delayMs * pace)
      troubled = true
      tell({ message: error.message, hint: error.hint, nextTryMs: clock.now() + waitMs })
      await clock.sleep(waitMs, signal)
    }
  }
}

/**
 * Runs a step for every item at once. When one fails for good the others are told to stop, and it is thrown only after the last of them
 * has: whoever meets the error may close what the steps use.
 */
export async function allOrNone<Item, Result>(
  items: readonly Item[],
  signal: AbortSignal,
  step: (item: Item, stop: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const stopping = new AbortController()
  const failures: unknown[] = []
  const stop = (): void => stopping.abort()
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop)
  try {
    const results = await Promise.allSettled(
      items.map(async (item) => {
        try {
          return await step(item, stopping.signal)
        } catch (error) {
          failures.push(error)
          stop()
          throw error
        }
      }),
    )
    if (failures.length > 0) throw failures[0]
    return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
