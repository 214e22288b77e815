import type { SourceSpec } from './connectors.ts'
import type { PipelinePlan, QueryPlan, SourceNode } from './node.ts'

/** What a pipeline reads: all queries of a checked plan read the same. */
export function sourceOf({ queries }: PipelinePlan): SourceSpec {
  return sourceNode(queries[0] as QueryPlan).source
}

/** Where a query begins. */
export function sourceNode({ root }: QueryPlan): SourceNode {
  let node = root
  while (node.kind !== 'source') node = node.input
  return node
}
