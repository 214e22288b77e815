import type { WindowGrid } from '../windows/window-grid.ts'
import type { Pane } from './pane.ts'

/** Deals the rows of a batch out to the panes that their times lie in. Rows mostly come side by side, so whole runs go at once. */
export class PaneSplit {
  readonly #grid: WindowGrid
  readonly #paneOf: (startMs: number) => Pane
  readonly #touched = new Set<Pane>()

  constructor(grid: WindowGrid, paneOf: (startMs: number) => Pane) {
    this.#grid = grid
    this.#paneOf = paneOf
  }

  /** The panes that got rows, each with its rows put aside. */
  of(times: Float64Array, rows: Int32Array, count: number): Iterable<Pane> {
    this.#touched.clear()
    for (let from = 0; from < count; ) {
      const startMs = this.#grid.paneAt(times[rows[from] as number] as number)
      const to = runEnd(times, rows, from, count, startMs, this.#grid.paneEnd(startMs))
      const pane = this.#paneOf(startMs)
      pane.addRows(rows, from, to)
      this.#touched.add(pane)
      from = to
    }
    return this.#touched
  }

  /** Holds on to no pane. */
  forget(): void {
    this.#touched.clear()
  }
}

/** Where the run of rows within [startMs, endMs) ends. */
function runEnd(
  times: Float64Array,
  rows: Int32Array,
  from: number,
  count: number,
  startMs: number,
  endMs: number,
): number {
  let index = from + 1
  while (index < count) {
    const timeMs = times[rows[index] as number] as number
    if (timeMs < startMs || timeMs >= endMs) break
    index++
  }
  return index
}
