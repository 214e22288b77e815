import type { Batch } from '../../batch/batch.ts'
import { FateCode } from '../ledger.ts'
import { Refusals, raise, type StageInput } from './stage.ts'

/** The rows that are not late, which are accepted by that; the others are told of. */
export function rowsOnTime(
  { rows, count, context }: StageInput,
  times: Float64Array,
  lateWatermarkMs: number,
): Int32Array {
  const onTime = new Int32Array(count)
  let kept = 0
  for (let index = 0; index < count; index++) {
    const row = rows[index] as number
    if ((times[row] as number) > lateWatermarkMs) {
      raise(context.fates, row, FateCode.accepted)
      onTime[kept++] = row
    } else {
      raise(context.fates, row, FateCode.late)
      context.refusals.missed(row, [], lateWatermarkMs)
    }
  }
  return onTime.subarray(0, kept)
}

/** Rows on their way to the next stages that have waited for the watermark, all of them accepted; `partitions` by row. */
export function releasedInput(
  batch: Batch,
  rows: Int32Array,
  partitions: Float64Array,
  clockMs: number,
  oldestMs: number,
): StageInput {
  const fates = new Uint8Array(batch.rowCount).fill(FateCode.accepted)
  return {
    batch,
    rows,
    count: rows.length,
    oldestMs,
    context: { partition: 0, partitions, clockMs, fates, accepted: undefined, refusals: new Refusals() },
  }
}

/** All rows of a batch. */
export function allRows(rowCount: number): Int32Array {
  const rows = new Int32Array(rowCount)
  for (let row = 0; row < rowCount; row++) rows[row] = row
  return rows
}

/** A batch that no decoder has made: rows that were computed. */
export function computedBatch(fields: Batch['fields'], columns: Batch['columns'], rowCount: number): Batch {
  return {
    fields,
    columns,
    rowCount,
    status: new Uint8Array(rowCount),
    error: new Uint8Array(rowCount),
    errorField: new Uint8Array(rowCount).fill(255),
    offsets: new Float64Array(rowCount),
    recordTimes: new Float64Array(rowCount).fill(Number.NaN),
    bytes: new Uint8Array(0),
    valueStarts: new Int32Array(rowCount),
    valueLengths: new Int32Array(rowCount),
    duplicateMembers: 0,
  }
}
