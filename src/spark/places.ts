import { basename } from 'node:path/posix'
import { MillraceError } from '../base/error.ts'
import type { SparkSession } from './connect.ts'
import type { Relation } from './relation.ts'
import { SparkError } from './spark-error.ts'
import type { SparkQuery } from './write-stream.ts'

/**
 * A query goes on in its own checkpoint, or begins where nobody has been. A folder that other checkpoints have written to would take its first
 * micro-batches for ones that it has already, and drop them; Spark says nothing.
 */
export async function assertOwnPlaces(session: SparkSession, { name, checkpoint, stream }: SparkQuery): Promise<void> {
  const checkpoints = await filesLike(session, `${literalPath(checkpoint.parent)}/*/metadata`)
  // All of them are in the same folder, whose name Spark may write in another way.
  if (checkpoints.some((path) => path.split('/').at(-2) === basename(checkpoint.folder))) return
  const [other] = checkpoints
  if (other !== undefined) {
    throw new MillraceError('incompatible-state', `the checkpoint of ${name} is of another plan: ${other}`, {
      hint: 'give the new plan another --checkpoint-root and --output, or take the old plan',
    })
  }
  if (stream.path === undefined) return
  const outputs = await filesLike(session, `${literalPath(stream.path)}/_spark_metadata/*`)
  if (outputs.length === 0) return
  throw new MillraceError('incompatible-state', `${stream.path} holds rows of a checkpoint that is gone`, {
    hint: 'Spark would drop what it believes to have written: give another --output, or bring the checkpoint back',
  })
}

/** A pattern of Hadoop's that only this path matches. */
export function literalPath(path: string): string {
  return path.replaceAll(/[\\*?[\]{}]/g, '\\$&')
}

/** Paths that match a pattern, as the cluster sees them. */
async function filesLike(session: SparkSession, pattern: string): Promise<string[]> {
  const read = { data_source: { format: 'binaryFile', options: {}, paths: [pattern] }, is_streaming: false }
  const list: Relation = { project: { input: { read }, expressions: [{ expression_string: { expression: 'path' } }] } }
  try {
    const { tableFromIPC } = await import('apache-arrow')
    const pieces = await session.collect(list)
    return pieces.flatMap((piece) => [...tableFromIPC(piece)].map((row) => String(row['path'])))
  } catch (error) {
    if (error instanceof SparkError && error.failure.errorClass === 'PATH_NOT_FOUND') return []
    throw error
  }
}
