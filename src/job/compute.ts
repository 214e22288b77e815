import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { Decoder } from '../batch/json-decoder.ts'
import type { Engine } from '../engine/engine.ts'
import type { EpochPlan, EpochResults } from '../engine/epoch.ts'

/** The rows of one range, as they come: held in memory, or read again. */
export type RangeRecords = Iterable<EncodedRecords> | AsyncIterable<EncodedRecords>

/** Bytes decoded at a stretch before everybody else (requests, timers, I/O) gets a turn. */
const STRETCH_BYTES = 4 << 20

/** Runs an epoch: a pure function of the engine's state, the plan and the rows. `records` are in the order of the plan's ranges. */
export async function computeEpoch(
  engine: Engine,
  decoder: Decoder,
  plan: EpochPlan,
  records: readonly RangeRecords[],
): Promise<EpochResults> {
  engine.beginEpoch(plan)
  let stretchBytes = 0
  for (const [index, range] of plan.ranges.entries()) {
    for await (const piece of records[index] ?? []) {
      engine.processBatch(range.partition, decoder.decode(piece, range.from, range.to))
      stretchBytes += piece.bytes.length
      if (stretchBytes < STRETCH_BYTES) continue
      stretchBytes = 0
      await nextTurn()
    }
  }
  return engine.endEpoch()
}
