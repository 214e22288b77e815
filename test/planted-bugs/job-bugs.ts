import { edit, type PlantedBug } from './planted-bug.ts'

const PIPELINING = 'src/job/pipelining.test.ts'
const CATCHING_UP = 'src/job/catching-up.test.ts'

/** Bugs in how long events are said to take, in how an epoch is computed while the one before is being prepared, and in how it takes in more rows than are held. */
export const JOB_BUGS: readonly PlantedBug[] = [
  {
    name: 'an epoch is prepared beside another one',
    file: 'src/job/epoch-commits.ts',
    edits: [edit('    await this.#preparing\n    this.#preparing = this', '    this.#preparing = this')],
    caughtBy: PIPELINING,
  },
  {
    name: 'a command goes with a plan that is forgotten',
    file: 'src/job/job.ts',
    edits: [edit('if (this.#commands.length > 0) await this.#commits.lastCertain()', '')],
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
    edits: [edit('    await this.#commits.settled()\n    if (checkpoint &&', '    if (checkpoint &&')],
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
    edits: [edit('      this.#commits.throwIfFailed()\n', '')],
    caughtBy: PIPELINING,
  },
  {
    name: 'the rest of a piece that an epoch ends within is forgotten',
    file: 'src/job/prefetcher.ts',
    edits: [edit('if (piece.endOffset > toOffset && toOffset < lane.toOffset) {', 'if (piece.endOffset < toOffset) {')],
    caughtBy: CATCHING_UP,
  },
  {
    name: 'a piece is given back before all of it is read',
    file: 'src/job/prefetcher.ts',
    edits: [edit('const { release: _stays, ...records } = piece', 'const records = piece')],
    caughtBy: 'src/job/prefetcher.test.ts',
  },
  {
    name: 'a job that is stopped while it reads an epoch again computes it with the rows that came',
    file: 'src/job/epoch-abandoned.ts',
    edits: [edit('  if (position < to && stopping.aborted) throw new EpochAbandoned()\n', '')],
    caughtBy: CATCHING_UP,
  },
  {
    name: 'a job that is stopped computes an epoch with the rows that came',
    file: 'src/job/prefetcher.ts',
    edits: [edit('if (leftMs <= 0) throw new EpochAbandoned()', 'if (leftMs <= 0) return undefined')],
    caughtBy: CATCHING_UP,
  },
  {
    name: 'one partition runs ahead of the others',
    file: 'src/job/epoch-planner.ts',
    edits: [edit('const share = Math.ceil(rowsMax / known.length)', 'const share = rowsMax')],
    caughtBy: CATCHING_UP,
  },
  {
    name: 'latency leaves out what an event waited in the log',
    file: 'src/job/latency.ts',
    edits: [edit('return stampedMs > 0 ? stampedMs : readMs', 'return readMs')],
    caughtBy: 'src/job/waiting.test.ts',
  },
]
