import type { Clock } from '../base/clock.ts'

/** Something whose appends wait to become durable together. */
export interface Committable {
  /** Tells those who wait how it went; never rejects. */
  commit(): Promise<void>
}

/** Commits whatever asked for it once per interval: one sync then serves all the appends that came in between. */
export class GroupCommit {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #due = new Set<Committable>()
  #running = false

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock
    this.#intervalMs = intervalMs
  }

  request(partition: Committable): void {
    this.#due.add(partition)
    if (!this.#running) void this.#run()
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#due.size > 0) {
      await this.#clock.sleep(this.#intervalMs)
      const due = [...this.#due]
      this.#due.clear()
      await Promise.all(due.map((partition) => partition.commit()))
    }
    this.#running = false
  }
}
