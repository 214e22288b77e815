/**
 * How time is cut, for windows that do not depend on the events in them. Rows go into panes, each row into one; a window is a row of
 * panes. Where windows do not overlap, panes and windows are the same.
 *
 *   tumbling   |  window  |  window  |          sliding   |-------- window --------|
 *              |   pane   |   pane   |                         |-------- window --------|
 *                                                     panes |--|--|--|--|--|--|--|--|--|
 */
export interface WindowGrid {
  /** True when a window is one pane. */
  readonly single: boolean
  /** Start of the pane that a time lies in. */
  paneAt(timeMs: number): number
  /** End of the pane that begins there. */
  paneEnd(startMs: number): number
  /** Start of the oldest window that contains the pane that begins there. */
  firstWindow(paneStartMs: number): number
  /** Start of the newest window that contains it. */
  lastWindow(paneStartMs: number): number
  nextWindow(startMs: number): number
  windowEnd(startMs: number): number
  /** A row is late when it is older: every window that it belongs to ends at or before the watermark. */
  openFrom(watermarkMs: number): number
}

/** Windows of one size side by side, aligned to Unix time zero. */
export function tumblingGrid(sizeMs: number): WindowGrid {
  const startOf = (timeMs: number): number => Math.floor(timeMs / sizeMs) * sizeMs
  return {
    single: true,
    paneAt: startOf,
    paneEnd: (startMs) => startMs + sizeMs,
    firstWindow: (startMs) => startMs,
    lastWindow: (startMs) => startMs,
    nextWindow: (startMs) => startMs + sizeMs,
    windowEnd: (startMs) => startMs + sizeMs,
    openFrom: startOf,
  }
}

/** One window over all of time, which only the end of the input closes. */
export function globalGrid(): WindowGrid {
  return {
    single: true,
    paneAt: () => 0,
    paneEnd: () => Number.POSITIVE_INFINITY,
    firstWindow: () => 0,
    lastWindow: () => 0,
    nextWindow: () => Number.POSITIVE_INFINITY,
    windowEnd: () => Number.POSITIVE_INFINITY,
    openFrom: () => Number.NEGATIVE_INFINITY,
  }
}

/**
 * Windows of one size, a new one every `slideMs`. Panes are cut where windows begin and where they end: at k x slide and at
 * k x slide + size mod slide.
 */
export function slidingGrid(sizeMs: number, slideMs: number): WindowGrid {
  const cutMs = sizeMs % slideMs
  const slideOf = (timeMs: number): number => Math.floor(timeMs / slideMs) * slideMs
  return {
    single: sizeMs === slideMs,
    paneAt(timeMs) {
      const slideStartMs = slideOf(timeMs)
      return timeMs - slideStartMs >= cutMs ? slideStartMs + cutMs : slideStartMs
    },
    paneEnd(startMs) {
      const slideStartMs = slideOf(startMs)
      return startMs - slideStartMs < cutMs ? slideStartMs + cutMs : slideStartMs + slideMs
    },
    // The oldest window that ends behind the pane's first moment.
    firstWindow: (paneStartMs) => slideOf(paneStartMs - sizeMs) + slideMs,
    lastWindow: slideOf,
    nextWindow: (startMs) => startMs + slideMs,
    windowEnd: (startMs) => startMs + sizeMs,
    openFrom: (watermarkMs) => slideOf(watermarkMs - sizeMs) + slideMs,
  }
}
