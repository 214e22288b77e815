import { assert, unreachable } from '../base/assert.ts'
import type { Field } from '../batch/schema.ts'
import { aggregateType } from './aggregate-type.ts'
import {
  type AggregateNode,
  META_FINAL,
  META_VERSION,
  type QueryPlan,
  SESSION_DURATION_MS,
  SESSION_END,
  SESSION_START,
  type SelectNode,
  WINDOW_END,
  WINDOW_START,
} from './node.ts'
import { queryChain } from './query-chain.ts'
import { expressionFields, rowFields } from './row-fields.ts'
import type { WindowSpec } from './window.ts'

export { DECIMAL_AVG_SCALE } from './aggregate-type.ts'

/** The columns of a query's result rows: those of its window, its keys and aggregates, or what it selects; then `final` and `version`. */
export function resultFields(query: QueryPlan): Field[] {
  const { output } = queryChain(query.root)
  assert(output, 'a query ends in an aggregate or a select')
  return [...outputFields(output), ...(query.meta ? META_FIELDS : [])]
}

/**
 * Columns that tell the rows of a result apart. Rows without a window have none. In update mode the start of a session can
 * move: a row of the old start is then deleted.
 */
export function keyColumns(query: QueryPlan): string[] {
  const { output } = queryChain(query.root)
  if (output?.kind !== 'aggregate') return []
  const bounds = windowFields(output.window).map(({ name }) => name)
  return [...(output.window.kind === 'session' ? [SESSION_START] : bounds), ...output.keys]
}

/** The columns that a window gives, in front of the keys. */
export function windowFields(window: WindowSpec): Field[] {
  switch (window.kind) {
    case 'tumbling':
    case 'calendar':
    case 'sliding':
      return [
        { name: WINDOW_START, type: 'timestamp', required: true },
        { name: WINDOW_END, type: 'timestamp', required: true },
      ]
    case 'session':
      return [
        { name: SESSION_START, type: 'timestamp', required: true },
        { name: SESSION_END, type: 'timestamp', required: true },
        { name: SESSION_DURATION_MS, type: 'int64', required: true },
      ]
    case 'global':
      return []
    default:
      return unreachable(window)
  }
}

const META_FIELDS: readonly Field[] = [
  { name: META_FINAL, type: 'boolean', required: true },
  { name: META_VERSION, type: 'int64', required: true },
]

function outputFields(node: AggregateNode | SelectNode): Field[] {
  const fields = rowFields(node)
  if (node.kind === 'select') return expressionFields(node.columns, fields)
  return [
    ...windowFields(node.window),
    ...node.keys.map((key) => keyField(fields, key)),
    ...node.aggregates.map(({ name, spec }) => ({ ...aggregateType(spec, fields), name })),
  ]
}

function keyField(fields: readonly Field[], name: string): Field {
  const field = fields.find((one) => one.name === name)
  assert(field, `the plan was checked: column ${name} exists`)
  const { type, required, scale } = field
  return { name, type, required, ...(scale === undefined ? {} : { scale }) }
}
