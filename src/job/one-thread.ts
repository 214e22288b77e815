import type { PipelinePlan } from '../plan/node.ts'
import { queryChain } from '../plan/query-chain.ts'

/** Some steps look at the rows of all partitions one after the other. */
export function needsOneThread(plan: PipelinePlan): boolean {
  return plan.queries.some(({ root }) =>
    queryChain(root).stepsAfter.some((step) => {
      if (step.kind === 'dedupe') return step.scope === 'global'
      return step.kind === 'session-features' || step.kind === 'predict' || step.kind === 'funnel'
    }),
  )
}
