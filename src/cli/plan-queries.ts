import { MillraceError } from '../base/error.ts'
import { nameHint } from '../plan/nearest-name.ts'
import type { PipelinePlan } from '../plan/node.ts'

/** The plan with only the queries of these names; with all of them when there are none. */
export function onlyQueries(plan: PipelinePlan, names: readonly string[] | undefined): PipelinePlan {
  if (names === undefined) return plan
  for (const name of names) assertQuery(plan, name)
  return { ...plan, queries: plan.queries.filter(({ name }) => names.includes(name)) }
}

/** Throws `invalid-option` unless the plan has a query of this name. */
export function assertQuery(plan: PipelinePlan, name: string): void {
  const names = plan.queries.map((query) => query.name)
  if (names.includes(name)) return
  throw new MillraceError('invalid-option', `the pipeline "${plan.name}" has no query "${name}"`, {
    hint: nameHint(name, names),
  })
}
