import { FIELD_NAME } from '../batch/schema.ts'
import { checkColumnType, KEY_TYPES } from './check-aggregate.ts'
import { checkDuration } from './check-duration.ts'
import { checkPredicate } from './check-expression.ts'
import { attemptFields } from './funnel.ts'
import type { KnownColumns } from './known-columns.ts'
import type { FunnelNode } from './node.ts'
import { badName, nameTaken, type PlanProblem, shown, TakenNames } from './plan-problem.ts'

/** The engine has a bit for each step of a row. */
const STEPS_MAX = 16

/** Everything wrong with a funnel; behind it, only the columns that it gives are known. */
export function checkFunnel(node: FunnelNode, columns: KnownColumns, path: string): PlanProblem[] {
  const problems = checkColumnType(node.by, `a funnel by "${shown(node.by)}"`, KEY_TYPES, columns, `${path}.by`)
  problems.push(...checkDuration(node.withinMs, 1, 'within', path))
  if (node.steps.length < 2 || node.steps.length > STEPS_MAX) {
    const message = `a funnel of ${node.steps.length} steps`
    problems.push({ path: `${path}.steps`, message, hint: `give 2 to ${STEPS_MAX}` })
  }
  const names = new TakenNames()
  for (const { name, when } of node.steps) {
    const at = `${path}.steps.${shown(name)}`
    if (!FIELD_NAME.test(name)) problems.push(badName(at, name))
    if (!names.take(name)) problems.push(nameTaken(at, 'step', name))
    problems.push(...checkPredicate(when, columns, at))
  }
  const by = columns.find(node.by)
  const fields = attemptFields(by ?? { name: node.by, type: 'string', required: true })
  const taken = new TakenNames()
  if (!fields.every(({ name }) => taken.take(name))) problems.push(nameTaken(`${path}.by`, 'column', node.by))
  columns.replace(fields)
  if (!by) columns.untold.add(node.by)
  return problems
}
