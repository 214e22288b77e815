import type { PipelinePlan } from '../plan/node.ts'
import { queryChain } from '../plan/query-chain.ts'

/** Some steps look at the rows of all partitions one after the other. */
export function needsOneThread(plan: PipelinePlan): boolean {
  return plan.queries.some(({ root }) =>
    queryChain(root).stepsAfter.some(
      ({ kind }) => kind === 'dedupe' || kind === 'session-features' || kind === 'predict' || kind === 'funnel',
    ),
  )
}
