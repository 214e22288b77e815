import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { OffsetRange } from '../engine/epoch.ts'
import type { Source } from '../sources/source.ts'

/**
 * A job that is to stop does not wait for rows of its epoch that do not come. The epoch is planned, and nothing of it has been seen
 * anywhere: it runs when the job is started again.
 */
export class EpochAbandoned extends Error {
  constructor() {
    super('the epoch was given up before all of its rows had come')
  }
}

/** Reads a range again. A source stops early when it is to stop; then not all of the range has come, and the epoch cannot be computed. */
export async function* readWhole(
  source: Source,
  partitionId: string,
  { from, to }: OffsetRange,
  stopping: AbortSignal,
): AsyncGenerator<EncodedRecords> {
  let position = from
  for await (const records of source.read(partitionId, from, to, stopping)) {
    yield records
    position = records.endOffset
  }
  if (position < to && stopping.aborted) throw new EpochAbandoned()
}
