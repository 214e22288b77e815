import type { JobStatus } from '../job/status.ts'

/** Where the server learns how the job is doing; the job implements it. */
export interface StatusFeed {
  /** The job as it stands now: plain data that never changes afterwards. Cheap enough to be called several times a second. */
  status(): JobStatus
  /** Calls `listener` after each change, as often as there are changes. Returns what ends it. */
  subscribe(listener: () => void): () => void
}
