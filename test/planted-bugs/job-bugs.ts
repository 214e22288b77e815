import { edit, type PlantedBug } from './planted-bug.ts'

const PIPELINING = 'src/job/pipelining.test.ts'

/** Bugs in how an epoch is computed while the one before is being prepared. */
export const JOB_BUGS: readonly PlantedBug[] = [
  {
    name: 'an epoch is prepared beside another one',
    file: 'src/job/job.ts',
    edits: [edit('    await this.#preparing\n    this.#preparing = this', '    this.#preparing = this')],
    caughtBy: PIPELINING,
  },
  {
    name: 'a command goes with a plan that is forgotten',
    file: 'src/job/job.ts',
    edits: [edit('if (this.#commands.length > 0) await this.#preparing', '')],
    caughtBy: PIPELINING,
  },
  {
    name: 'of two open plans the second one runs',
    file: 'src/job/recovery.ts',
    edits: [
      edit('.find((plan) => plan.epoch > lastPreparedEpoch)', '.findLast((plan) => plan.epoch > lastPreparedEpoch)'),
    ],
    caughtBy: PIPELINING,
  },
  {
    name: 'a snapshot is taken while an epoch is being prepared',
    file: 'src/job/job.ts',
    edits: [edit('    await this.#settled()\n    if (checkpoint &&', '    if (checkpoint &&')],
    caughtBy: 'test/sim/job.test.ts',
  },
  {
    name: 'a position is shown before it is certain',
    file: 'src/job/job-monitor.ts',
    edits: [edit('this.#partitions.certain(partition)', 'this.#partitions.positions[partition] ?? 0')],
    caughtBy: PIPELINING,
  },
  {
    name: 'a job without rows goes on although a sink has failed',
    file: 'src/job/job.ts',
    edits: [edit('      if (this.#failure !== undefined) throw this.#failure\n', '')],
    caughtBy: PIPELINING,
  },
]
