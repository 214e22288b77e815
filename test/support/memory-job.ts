import type { Clock } from '../../src/base/clock.ts'
import type { PipelinePlan } from '../../src/index.ts'
import type { Job } from '../../src/job/job.ts'
import type { JobSettings } from '../../src/job/job-parts.ts'
import { openJob, type QueryView } from '../../src/job/open-job.ts'
import type { MemoryLog } from '../../src/log/memory-log.ts'
import { sourceOf } from '../../src/plan/plan-source.ts'
import { createSource } from '../../src/sources/index.ts'
import type { FaultyFiles } from './faulty-files.ts'
import { noLock } from './log-records.ts'

/** What makes one job over a memory log another than the others. */
export interface MemoryJob {
  readonly plan: PipelinePlan
  readonly log: MemoryLog
  readonly clock: Clock
  /** A disk with the job's checkpoint, or a real folder: the job keeps nothing to go on from then. */
  readonly disk: FaultyFiles | string
  readonly settings?: Partial<JobSettings>
  readonly views?: readonly QueryView[]
  readonly live?: boolean
  readonly parallelism?: number
}

/** Opens a job as the command does, over a memory log; unless told otherwise it ends where the log ends, with no window closed for that. */
export async function openMemoryJob(job: MemoryJob): Promise<Job> {
  const { plan, log, clock, disk, settings, views = [], live = false, parallelism = 1 } = job
  const folder = typeof disk === 'string' ? disk : '/'
  return openJob({
    plan,
    source: await createSource(sourceOf(plan), {
      workingFolder: folder,
      stdin: process.stdin,
      openLog: async () => log,
    }),
    ...(typeof disk === 'string'
      ? { checkpointFolder: undefined, deadLetterFolder: folder }
      : {
          checkpointFolder: '/checkpoint',
          deadLetterFolder: '/dead',
          fileSystem: disk,
          lock: noLock,
          plainDecoder: true,
        }),
    workingFolder: folder,
    settings: {
      triggerMs: 1,
      snapshotIntervalMs: 1_000_000,
      rowsPerEpochMax: 1_000,
      prefetchBytesMax: 1 << 20,
      once: true,
      flushAtEnd: false,
      ...settings,
    },
    live,
    parallelism,
    clock,
    print: () => {},
    hashKey: [1, 2],
    views,
  })
}
