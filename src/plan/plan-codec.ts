import { MillraceError } from '../base/error.ts'
import { canonicalJson } from './canonical-json.ts'
import { assertPlan, invalidPlan } from './check.ts'
import type { SinkSpec } from './connectors.ts'
import { frozenCopy } from './frozen-copy.ts'
import type { PipelinePlan, QueryPlan } from './node.ts'
import type { PlanProblem } from './plan-problem.ts'
import { planShape } from './plan-shape.ts'
import { queryChain } from './query-chain.ts'

/** Goes up when the same plan begins to give other results. */
const SEMANTICS = 2

/** What nests deeper is no plan that the checks would accept, and must not exhaust the stack before they say so. */
const DEPTH_MAX = 256

/**
 * A plan as JSON text for people: the same text for the same plan, however it was made. The password in an address of a server is left
 * out: texts of plans get around. PGPASSWORD serves an address without one.
 */
export function planToJson(plan: PipelinePlan): string {
  const queries = plan.queries.map((query) => ({ ...query, sinks: query.sinks.map(withoutPassword) }))
  return `${canonicalJson({ ...plan, queries }, 2)}\n`
}

function withoutPassword(sink: SinkSpec): SinkSpec {
  if ((sink.kind !== 'postgres' && sink.kind !== 'redis') || sink.url === undefined) return sink
  return { ...sink, url: sink.url.replace(/^([a-z]+:\/\/[^/?#]*?):[^/?#]*@/i, '$1@') }
}

/**
 * A plan from JSON text, or from data that was such text, that may come from anywhere. Its shape is checked first (nothing
 * unknown is skipped over), then what it says. Throws one `invalid-plan` that lists all problems; the plan is frozen.
 */
export function planFromJson(json: unknown): PipelinePlan {
  const data = typeof json === 'string' ? parseJson(json) : json
  const problems: PlanProblem[] = []
  if (deeperThan(data, DEPTH_MAX)) {
    const message = `it nests deeper than ${DEPTH_MAX} levels`
    problems.push({ path: 'plan', message, hint: 'give and() and or() more operands' })
  } else {
    planShape(data, '', problems)
  }
  if (problems.length > 0) throw invalidPlan('this is not a plan', problems)
  const plan = frozenCopy(data as PipelinePlan)
  assertPlan(plan)
  return plan
}

/**
 * What a query's results depend on, as text: its schema and rules, and each of its steps. Left out is what may change between
 * two starts: where rows come from and go to, and how long until a partition counts as idle, which only decides what epoch
 * plans record; and what a model begins with, which is in the first snapshot.
 */
export function queryIdentity(query: QueryPlan): string {
  const { source, stepsBefore, watermark, stepsAfter, output } = queryChain(query.root)
  const steps = [...stepsBefore, watermark, ...stepsAfter, output].filter((step) => step !== undefined)
  return canonicalJson({
    semantics: SEMANTICS,
    fields: source.schema.fields,
    rules: source.rules,
    keyed: source.keyed,
    steps: steps.map((step) => ({ ...step, input: undefined, idleTimeoutMs: undefined, startFrom: undefined })),
    meta: query.meta,
  })
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new MillraceError('invalid-plan', `the plan is not JSON: ${reason}`, {
      hint: '`millrace plan PIPELINE --json` prints a plan that is',
      cause: error,
    })
  }
}

function deeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return depth === 0 || Object.values(value).some((member) => deeperThan(member, depth - 1))
}
