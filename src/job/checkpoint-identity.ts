import { createHash } from 'node:crypto'
import { MillraceError } from '../base/error.ts'
import { describeQuery } from '../plan/explain.ts'
import type { PipelinePlan } from '../plan/node.ts'
import { queryIdentity } from '../plan/plan-codec.ts'
import type { Source, SourcePartition } from '../sources/source.ts'

/** Lines of a change that a message shows; the rest is counted. */
const CHANGES_SHOWN = 3

/** What a checkpoint belongs to: these queries over this source. Plain JSON data, kept in every snapshot. */
export interface CheckpointIdentity {
  readonly pipeline: string
  readonly source: string
  /** Hash per query of what its results depend on. */
  readonly queries: readonly (readonly [string, string])[]
  /** What each query computes, in words: only to say what has changed when the hashes differ. */
  readonly descriptions?: readonly (readonly string[])[]
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
    descriptions: plan.queries.map(describeQuery),
  }
}

/** One hash over everything that the results depend on; recorded with each plan of an epoch. */
export function configHash({ pipeline, source, queries }: CheckpointIdentity): string {
  return shortHash(JSON.stringify({ pipeline, source, queries }))
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
    if (known !== hash) {
      const what = changeText(descriptionOf(checkpoint, name), descriptionOf(job, name))
      throw misfit(`the query "${name}" has changed since the checkpoint in ${folder} was made${what}`)
    }
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
        hint: 'bring it back, or start over with another --checkpoint folder and another --output',
      })
    }
    if (now !== fingerprint) {
      throw new MillraceError('data-loss', `"${id}" has changed since ${position} of its rows were read`, {
        hint: 'restore the original, or start over with another --checkpoint folder and another --output',
      })
    }
  }
}

function descriptionOf({ queries, descriptions = [] }: CheckpointIdentity, name: string): readonly string[] {
  return descriptions[queries.findIndex(([query]) => query === name)] ?? []
}

/** What is said of a query now and what was said before, as far as words tell it. */
function changeText(before: readonly string[], now: readonly string[]): string {
  const missing = before.filter((line) => !now.includes(line))
  const added = now.filter((line) => !before.includes(line))
  if (before.length === 0 || missing.length + added.length === 0) return ''
  return [...told('now', added), ...told('then', missing)].join('')
}

function told(when: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return []
  const more = lines.length > CHANGES_SHOWN ? [`and ${lines.length - CHANGES_SHOWN} more`] : []
  return [`\n  ${when.padEnd(5)} ${[...lines.slice(0, CHANGES_SHOWN), ...more].join('; ')}`]
}

function misfit(message: string): MillraceError {
  return new MillraceError('incompatible-state', message, {
    hint: 'go back to the definition that made it, or begin anew with another --checkpoint folder and another --output',
  })
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}
