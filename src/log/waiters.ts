/** Those who wait for a partition to grow. */
export class Waiters {
  readonly #waiting = new Set<{ readonly offset: number; readonly wake: () => void }>()

  /** Resolves when the end, now `endOffset`, lies behind `offset`, or when `signal` aborts. */
  wait(offset: number, endOffset: number, signal: AbortSignal): Promise<void> {
    if (endOffset > offset || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const waiter = {
        offset,
        wake: () => {
          this.#waiting.delete(waiter)
          signal.removeEventListener('abort', waiter.wake)
          resolve()
        },
      }
      this.#waiting.add(waiter)
      signal.addEventListener('abort', waiter.wake, { once: true })
    })
  }

  /** The end is now here. */
  wake(endOffset: number): void {
    for (const waiter of this.#waiting) if (endOffset > waiter.offset) waiter.wake()
  }

  /** Nothing will come any more. */
  wakeAll(): void {
    this.wake(Number.POSITIVE_INFINITY)
  }
}
