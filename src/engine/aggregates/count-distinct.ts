import type { Aggregator } from './aggregate.ts'
import { ColumnValues } from './column-values.ts'
import { DistinctState } from './distinct-state.ts'
import { RunningDistinct } from './running-distinct.ts'

/** Exact number of different values. State: the set of (group, value) pairs. */
export function countDistinct(columnIndex: number, seed: number): Aggregator {
  const values = new ColumnValues(columnIndex, seed)
  return {
    begin: (batch, rows, count) => values.begin(batch, rows, count),
    newState: () => new DistinctState(values),
    newRunning: () => new RunningDistinct(values),
    forget: (states) =>
      values.forget((newId) => {
        for (const { sets } of states as readonly DistinctState[]) sets.renumber(newId)
      }),
  }
}
