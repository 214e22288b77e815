import { assert } from '../base/assert.ts'
import type { Expression } from './expression.ts'
import type { AggregateNode, QueryNode, SourceNode, WatermarkNode } from './node.ts'

/** A query's nodes in the order in which rows pass them. */
export interface QueryChain {
  readonly source: SourceNode
  /** Rows that these reject never move time. */
  readonly filtersBefore: readonly Expression[]
  readonly watermark: WatermarkNode | undefined
  readonly filtersAfter: readonly Expression[]
  readonly aggregate: AggregateNode | undefined
}

/** Lays out the chain that ends in `root`. A chain has one source, at most one watermark, and an aggregate only at its end. */
export function queryChain(root: QueryNode): QueryChain {
  const filtersBefore: Expression[] = []
  const filtersAfter: Expression[] = []
  let watermark: WatermarkNode | undefined
  const aggregate = root.kind === 'aggregate' ? root : undefined
  let node = aggregate ? aggregate.input : root
  while (node.kind !== 'source') {
    assert(node.kind !== 'aggregate', 'an aggregate ends its query')
    if (node.kind === 'watermark') {
      assert(!watermark, 'a query has one watermark')
      watermark = node
      filtersAfter.push(...filtersBefore.splice(0))
    } else {
      filtersBefore.push(node.predicate)
    }
    node = node.input
  }
  return {
    source: node,
    filtersBefore: filtersBefore.reverse(),
    watermark,
    filtersAfter: filtersAfter.reverse(),
    aggregate,
  }
}
