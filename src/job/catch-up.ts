/** About so long an epoch takes while a job is far behind, ms. */
const EPOCH_MS = 250

/**
 * Says how many rows an epoch is to have while a job is far behind. Every epoch costs some work of its own, whatever its size: files, their
 * `fsync`, barriers of the workers. So it takes in as many as are computed in about a quarter of a second, though fewer can be held.
 */
export class CatchUp {
  #behind = false
  #wasFull = false
  #rowsPerMs = 0

  /**
   * Rows of the next epoch; 0 means those that are held. `full` when as many are held as may be, `more` when the source is known to have others.
   */
  rows(full: boolean, more: boolean): number {
    // Full once is not enough: rows may have piled up while a sink was away, and come slowly.
    this.#behind = more && (this.#behind || (full && this.#wasFull))
    this.#wasFull = full
    return this.#behind ? Math.round(this.#rowsPerMs * EPOCH_MS) : 0
  }

  /** An epoch is computed; the time has that in it in which its rows were waited for. */
  computed(rows: number, durationMs: number): void {
    this.#rowsPerMs = rows / Math.max(1, durationMs)
  }
}
