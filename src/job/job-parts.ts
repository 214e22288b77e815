import type { Clock } from '../base/clock.ts'
import type { Source } from '../sources/source.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { CheckpointIdentity } from './checkpoint-identity.ts'
import type { DeadLetterFile } from './dead-letter-file.ts'
import type { EpochRunner } from './epoch-runner.ts'
import type { SinkGroup } from './sink-group.ts'

/** How a job behaves; none of it changes what it computes. */
export interface JobSettings {
  /** Least time between two epochs of a live run, ms. */
  readonly triggerMs: number
  readonly snapshotIntervalMs: number
  readonly rowsPerEpochMax: number
  readonly prefetchBytesMax: number
  /** Stop at the end that the input has now. */
  readonly once: boolean
  /** At that end, close every window: right for a run that will not be continued. */
  readonly flushAtEnd: boolean
}

/** What a job is put together from; see `openJob`. */
export interface JobParts {
  readonly pipeline: string
  readonly engine: EpochRunner
  readonly source: Source
  readonly sinks: SinkGroup
  readonly deadLetters: DeadLetterFile
  /** Undefined for a run that keeps nothing to go on from. */
  readonly checkpoint: Checkpoint | undefined
  readonly identity: CheckpointIdentity
  readonly hashKey: readonly [number, number]
  readonly idleTimeoutsMs: readonly number[]
  readonly clock: Clock
  readonly settings: JobSettings
  /** Gather what the live page shows. */
  readonly live: boolean
}
