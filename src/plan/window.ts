import { type Duration, durationMs } from '../base/time.ts'

/**
 * How event time is cut. Every window is [start, end).
 *
 *   tumbling(size)   |--------|--------|--------|   aligned to Unix time zero, each row in one window
 */
export type WindowSpec = TumblingWindow

/** Windows of one size, side by side. */
export interface TumblingWindow {
  readonly kind: 'tumbling'
  readonly sizeMs: number
}

/** Windows of one size, side by side, aligned to Unix time zero. */
export function tumbling(size: Duration): TumblingWindow {
  return Object.freeze({ kind: 'tumbling', sizeMs: durationMs(size, 'window size') })
}
