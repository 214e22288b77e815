import type { OutputMode } from '../plan/connectors.ts'
import type { PipelinePlan, QueryPlan } from '../plan/node.ts'
import { queryChain } from '../plan/query-chain.ts'
import { keyColumns, resultFields } from '../plan/result-schema.ts'
import { sinkTraits } from '../plan/sink-traits.ts'
import type { QueryOutput } from './engine.ts'

/** What the queries of a plan give, in the modes that their sinks and somebody else ask for. */
export function queryOutputs(plan: PipelinePlan, extraModes: readonly OutputMode[]): QueryOutput[] {
  return plan.queries.map((query) => queryOutput(query, extraModes))
}

function funnelTimeMs({ root }: QueryPlan): number {
  const funnel = queryChain(root).stepsAfter.find(({ kind }) => kind === 'funnel')
  return funnel?.kind === 'funnel' ? funnel.withinMs : 0
}

function queryOutput(query: QueryPlan, extraModes: readonly OutputMode[]): QueryOutput {
  const modes = new Set<OutputMode>(extraModes)
  for (const sink of query.sinks) modes.add(sinkTraits(sink).mode)
  if (modes.size === 0) modes.add('append')
  const order: readonly OutputMode[] = ['append', 'update', 'complete']
  return {
    name: query.name,
    fields: resultFields(query),
    keyColumns: keyColumns(query),
    modes: order.filter((mode) => modes.has(mode)),
    closesAfterMs: funnelTimeMs(query),
  }
}
