import { unreachable } from '../base/assert.ts'
import type { Field } from '../batch/schema.ts'
import type { OutputMode } from '../plan/connectors.ts'
import type { AggregateNode } from '../plan/node.ts'
import type { SessionWindow, WindowSpec } from '../plan/window.ts'
import type { HashKey } from './keys/key-table.ts'
import type { Operator } from './operator.ts'
import { SessionAggregate } from './operators/session-aggregate.ts'
import { WindowAggregate } from './operators/window-aggregate.ts'
import { calendarGrid } from './windows/calendar.ts'
import { globalGrid, slidingGrid, tumblingGrid, type WindowGrid } from './windows/window-grid.ts'

/** What an aggregate of a query is compiled from. */
export interface OperatorOptions {
  readonly query: string
  readonly node: AggregateNode
  /** Columns of the batches. */
  readonly fields: readonly Field[]
  /** Columns of the result. */
  readonly resultFields: readonly Field[]
  readonly eventTimeIndex: number
  readonly modes: readonly OutputMode[]
  /** Shards whose groups are kept here, when there are other owners; undefined for the only one. */
  readonly ownShards: readonly number[] | undefined
  /** Spark's rules where they differ: see docs/semantics. */
  readonly spark: boolean
  /** Nothing is late and nothing goes: Spark's complete mode. */
  readonly keepsClosed: boolean
  readonly groupsMax: number
  readonly hashKey: HashKey
}

/** The operator for an aggregate's window. */
export function createOperator(options: OperatorOptions): Operator {
  const { window } = options.node
  if (window.kind === 'session') return new SessionAggregate({ ...options, window })
  return new WindowAggregate({ ...options, grid: createGrid(window) })
}

/** How a window that does not depend on events cuts time. */
export function createGrid(window: Exclude<WindowSpec, SessionWindow>): WindowGrid {
  switch (window.kind) {
    case 'tumbling':
      return tumblingGrid(window.sizeMs)
    case 'calendar':
      return calendarGrid(window.unit, window.timeZone)
    case 'sliding':
      return slidingGrid(window.sizeMs, window.slideMs)
    case 'global':
      return globalGrid()
    default:
      return unreachable(window)
  }
}
