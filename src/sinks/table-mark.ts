import { MillraceError } from '../base/error.ts'
import { type Sink, SinkBehind, type SinkEpoch, type SinkProgress } from './sink.ts'

/** The mark of a sink that keeps it in a table beside its rows; it moves with every epoch, in the transaction of its rows. */
export interface Mark extends SinkProgress {
  /** Which checkpoint, or which run without one, the rows come from. */
  readonly owner: string
}

/** Stops before the rows of one run are mixed with those of another. A run that has committed nothing leaves nothing to protect. */
export function checkOwner(sink: Pick<Sink, 'name' | 'target'>, mark: Mark, owner: string): void {
  if (mark.owner === owner || mark.epoch === 0) return
  throw new MillraceError('incompatible-state', `${sink.target} holds the output of another run (${mark.owner})`, {
    hint: `name another table, or add --reset-sink ${sink.name} to write over what is there`,
  })
}

/**
 * Reads out of a mark what is to be done with an epoch: `due` when it can be committed now, `done` when it has been. Throws when this
 * process has no say any more, when the store has lost epochs (`SinkBehind`), or when it holds other rows for this epoch.
 */
export function whyNotMoved(
  sink: Pick<Sink, 'name' | 'target'>,
  mark: Mark | undefined,
  self: { readonly owner: string; readonly fence: number },
  at: SinkEpoch,
): 'due' | 'done' {
  if (!mark) throw noMark(sink)
  if (mark.owner !== self.owner || mark.fence !== self.fence) throw newerFence(sink.target, mark.fence, self.fence)
  if (mark.epoch > at.epoch) return 'done'
  if (mark.epoch === at.epoch) {
    // A sink that was added or reset begins behind an epoch of which it has no rows.
    if (mark.hash === at.hash || mark.hash === '') return 'done'
    throw otherRows(sink, at.epoch)
  }
  if (mark.epoch < at.previous) throw new SinkBehind(sink.name, mark.epoch, at.previous)
  return 'due'
}

function otherRows({ name, target }: Pick<Sink, 'name' | 'target'>, epoch: number): MillraceError {
  return new MillraceError('incompatible-state', `${target} holds other rows for epoch ${epoch} than this run has`, {
    hint: `the checkpoint is older than its output: use the newer checkpoint, or --reset-sink ${name} to go on from here`,
  })
}

/** What a process is told that has been replaced by a newer one. */
export function newerFence(target: string, newer: number, fence: number): MillraceError {
  return new MillraceError(
    'incompatible-state',
    `${target} has been taken over by a newer process (fence ${newer}, this one has ${fence})`,
    { hint: 'another process runs this pipeline: stop one of them' },
  )
}

function noMark({ name, target }: Pick<Sink, 'name' | 'target'>): MillraceError {
  return new MillraceError('incompatible-state', `${target} has no mark of the sink ${name} any more`, {
    hint: `bring back millrace_progress, or add --reset-sink ${name} to go on at the next epoch`,
  })
}
