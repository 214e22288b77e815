import { createHash } from 'node:crypto'
import { MillraceError } from '../base/error.ts'
import type { PipelinePlan } from '../plan/node.ts'
import { queryIdentity } from '../plan/plan-codec.ts'
import type { Source, SourcePartition } from '../sources/source.ts'

/** What a checkpoint belongs to: these queries over this source. Plain JSON data, kept in every snapshot. */
export interface CheckpointIdentity {
  readonly pipeline: string
  readonly source: string
  /** Hash per query of what its results depend on. */
  readonly queries: readonly (readonly [string, string])[]
}

/** A partition as the checkpoint knows it. */
export interface PartitionPosition {
  readonly id: string
  readonly fingerprint: string
  /** Next offset to be read. */
  readonly position: number
}

/** What a checkpoint of this pipeline over this source belongs to. */
export function identityOf(plan: PipelinePlan, source: Source): CheckpointIdentity {
  return {
    pipeline: plan.name,
    source: source.identity,
    queries: plan.queries.map((query) => [query.name, shortHash(queryIdentity(query))] as const),
  }
}

/** One hash over everything that the results depend on; recorded with each plan of an epoch. */
export function configHash(identity: CheckpointIdentity): string {
  return shortHash(JSON.stringify(identity))
}

/** Stops when a checkpoint was made by other queries or over another source. */
export function assertFits(checkpoint: CheckpointIdentity, job: CheckpointIdentity, folder: string): void {
  if (checkpoint.source !== job.source) {
    throw misfit(`the checkpoint in ${folder} is of the source "${checkpoint.source}", this run reads "${job.source}"`)
  }
  const before = new Map(checkpoint.queries)
  const now = new Map(job.queries)
  for (const [name, hash] of now) {
    const known = before.get(name)
    if (known === undefined) throw misfit(`the checkpoint in ${folder} does not know the query "${name}"`)
    if (known !== hash) throw misfit(`the query "${name}" has changed since the checkpoint in ${folder} was made`)
  }
  for (const name of before.keys()) {
    if (!now.has(name)) throw misfit(`the checkpoint in ${folder} holds state of "${name}", which this pipeline lacks`)
  }
}

/** Stops when a partition is not what it was: its offsets would mean other rows. */
export function assertSamePartitions(
  known: readonly PartitionPosition[],
  found: readonly SourcePartition[],
  folder: string,
): void {
  const fingerprints = new Map(found.map((partition) => [partition.id, partition.fingerprint]))
  for (const { id, fingerprint, position } of known) {
    const now = fingerprints.get(id)
    if (now === undefined) {
      throw new MillraceError('data-loss', `the checkpoint in ${folder} reads "${id}", which is not there any more`, {
        hint: 'bring it back, or start over with another --checkpoint folder',
      })
    }
    if (now !== fingerprint) {
      throw new MillraceError('data-loss', `"${id}" has changed since ${position} of its rows were read`, {
        hint: 'restore the original, or start over with another --checkpoint folder',
      })
    }
  }
}

function misfit(message: string): MillraceError {
  return new MillraceError('incompatible-state', message, {
    hint: 'give the changed pipeline another name or another --checkpoint folder, or go back to the definition that made it',
  })
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
