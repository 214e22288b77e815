import { assert } from '../base/assert.ts'
import { MillraceError } from '../base/error.ts'
import { canonicalJson } from './canonical-json.ts'
import { checkQuery } from './check-query.ts'
import { checkSinksTogether } from './check-sinks.ts'
import { checkSource } from './check-source.ts'
import type { PipelinePlan, QueryPlan } from './node.ts'
import { badName, nameTaken, type PlanProblem, shown, TakenNames } from './plan-problem.ts'
import { sourceNode } from './plan-source.ts'

export type { PlanProblem } from './plan-problem.ts'

/** Queries that a pipeline may have. */
const QUERIES_MAX = 64

const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,62}$/

/** Finds everything that is wrong with a plan, so that all of it can be mended at once; empty when it can run. */
export function checkPlan(plan: PipelinePlan): PlanProblem[] {
  const problems: PlanProblem[] = []
  if (!NAME.test(plan.name)) problems.push(badName('name', plan.name))
  if (plan.queries.length === 0) {
    const hint = 'add one with .query(name, query, sinks)'
    problems.push({ path: 'queries', message: 'the pipeline has no query', hint })
  }
  if (plan.queries.length > QUERIES_MAX) {
    const message = `the pipeline has ${plan.queries.length} queries`
    problems.push({ path: 'queries', message, hint: `keep to ${QUERIES_MAX}, or make two pipelines of it` })
  }
  problems.push(...checkSources(plan))
  const names = new TakenNames()
  for (const query of plan.queries) {
    const path = queryPath(query)
    if (!NAME.test(query.name)) problems.push(badName(path, query.name))
    if (!names.take(query.name)) problems.push(nameTaken(path, 'query', query.name))
    problems.push(...checkQuery(query, path))
  }
  problems.push(...checkSinksTogether(plan))
  return problems
}

/** Throws one `invalid-plan` error that lists every problem. */
export function assertPlan(plan: PipelinePlan): void {
  const problems = checkPlan(plan)
  if (problems.length > 0) throw invalidPlan(`the pipeline "${shown(plan.name)}" cannot run`, problems)
}

/** One error that tells all problems, each on a line with its path and what to do about it. */
export function invalidPlan(what: string, problems: readonly PlanProblem[]): MillraceError {
  assert(problems.length > 0, 'an invalid plan has a problem')
  const lines = problems.map(({ path, message, hint }) => `${path}: ${message} (${hint})`)
  const hint = problems.length === 1 ? 'correct it and start again' : `correct all ${problems.length} and start again`
  return new MillraceError('invalid-plan', [`${what}:`, ...lines].join('\n  '), { hint })
}

/** A source is checked once, not for each query that reads it. */
function checkSources({ queries }: PipelinePlan): PlanProblem[] {
  const problems: PlanProblem[] = []
  let first: { readonly text: string; readonly name: string } | undefined
  for (const query of queries) {
    const source = sourceNode(query)
    const text = canonicalJson(source)
    if (first === undefined) {
      first = { text, name: query.name }
      problems.push(...checkSource(source, queryPath(query)))
    } else if (text !== first.text) {
      const message = `it reads another source, schema or rules than "${shown(first.name)}"`
      const hint = 'a pipeline has one source: begin each query from the same stream, or make two pipelines'
      problems.push({ path: queryPath(query), message, hint })
    }
  }
  return problems
}

function queryPath({ name }: QueryPlan): string {
  return `queries.${shown(name)}`
}
