import type { JobStatus } from '../../src/job/status.ts'
import type { StatusFeed } from '../../src/server/status-feed.ts'

/** A feed whose states a test sets one after the other. */
export class ScriptedFeed implements StatusFeed {
  #status: JobStatus
  readonly #listeners = new Set<() => void>()

  constructor(first: JobStatus) {
    this.#status = first
  }

  get listenerCount(): number {
    return this.#listeners.size
  }

  status(): JobStatus {
    return this.#status
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  show(status: JobStatus): void {
    this.#status = status
    for (const listener of this.#listeners) listener()
  }
}
