import { checkAggregate } from './check-aggregate.ts'
import { checkOutput } from './check-output.ts'
import { checkSink } from './check-sinks.ts'
import { checkSelect, checkStep, checkWatermark } from './check-steps.ts'
import { KnownColumns } from './known-columns.ts'
import { META_FINAL, META_VERSION, type QueryNode, type QueryPlan } from './node.ts'
import type { PlanProblem } from './plan-problem.ts'
import { type QueryChain, queryChain, type TimedStep } from './query-chain.ts'
import { keyColumns, resultFields } from './result-schema.ts'

/** Steps that a query may have between its source and its end. */
const STEPS_MAX = 64

/** Everything wrong with a query, apart from the source that it shares with others. */
export function checkQuery(query: QueryPlan, path: string): PlanProblem[] {
  const misplaced = checkOrder(query.root, path)
  if (misplaced.length > 0) return misplaced
  const chain = queryChain(query.root)
  const problems = checkSteps(chain, query.meta ? [META_FINAL, META_VERSION] : [], path)
  if (chain.aggregate && !chain.watermark) {
    const hint = "put .withWatermark('event_time', '2 minutes') before the window"
    problems.push({ path, message: 'no window would ever close: the query has no watermark', hint })
  }
  // Result columns can be told only of a query that makes sense.
  const results = problems.length === 0 ? resultFields(query) : undefined
  const rows = { output: chain.output, fields: results, key: keyColumns(query) }
  for (const [index, sink] of query.sinks.entries()) {
    const at = `${path}.sinks[${index}]`
    problems.push(...checkSink(sink, results, at, results && keyColumns(query)))
    problems.push(...checkOutput(sink, rows, at))
  }
  return problems
}

function checkSteps(chain: QueryChain, meta: readonly string[], path: string): PlanProblem[] {
  const { source, stepsBefore, watermark, stepsAfter, output } = chain
  const columns = new KnownColumns(source.schema.fields)
  const paths = new StepPaths(path)
  const problems: PlanProblem[] = []
  for (const step of stepsBefore) problems.push(...checkStep(step, source, columns, paths.of(step)))
  if (watermark) problems.push(...checkWatermark(watermark, source, columns, `${path}.watermark`))
  for (const step of stepsAfter) problems.push(...checkStep(step, source, columns, paths.of(step)))
  if (output?.kind === 'aggregate') problems.push(...checkAggregate(output, columns, meta, path))
  if (output?.kind === 'select') problems.push(...checkSelect(output, columns, meta, path))
  return problems
}

const METHODS = {
  filter: 'where',
  derive: 'derive',
  dedupe: 'dedupe',
  'session-features': 'withSessionFeatures',
  predict: 'predict',
  'model-report': 'modelReport',
  funnel: 'funnel',
} as const

/** Steps that remember rows until the watermark has passed them. */
const REMEMBERS: readonly QueryNode['kind'][] = ['dedupe', 'session-features', 'predict', 'funnel']

/** Names the steps of a query after the methods that made them: `where[0]`, `where[1]`, `dedupe`. */
class StepPaths {
  readonly #path: string
  readonly #counts = new Map<string, number>()

  constructor(path: string) {
    this.#path = path
  }

  of({ kind }: TimedStep): string {
    const method = METHODS[kind]
    const index = this.#counts.get(method) ?? 0
    this.#counts.set(method, index + 1)
    return `${this.#path}.${method}${kind === 'filter' || kind === 'derive' ? `[${index}]` : ''}`
  }
}

/** What `queryChain` relies on: an output at the end and nowhere else, one watermark at most, and what needs time behind it. */
function checkOrder(root: QueryNode, path: string): PlanProblem[] {
  const problems: PlanProblem[] = []
  if (root.kind !== 'aggregate' && root.kind !== 'select') {
    const hint = 'end it with .window(tumbling(...)).aggregate({...}), or with .select() for rows as they are'
    problems.push({ path, message: 'the query ends neither in an aggregate nor in a select', hint })
  }
  const steps = stepsOf(root)
  const misplaced = steps.find((step) => step !== root && (step.kind === 'aggregate' || step.kind === 'select'))
  if (misplaced) {
    const what = misplaced.kind === 'aggregate' ? 'an aggregate' : 'a select'
    return [{ path, message: `something follows ${what}`, hint: 'aggregate or select once, as the last step' }]
  }
  if (steps.length > STEPS_MAX) {
    const hint = `keep to ${STEPS_MAX}; one filter can hold many conditions with and(), one derive() many columns`
    problems.push({ path, message: `the query has ${steps.length} steps`, hint })
  }
  problems.push(...checkSingle(steps, 'watermark', `${path}.watermark`, 'declare event time once'))
  problems.push(...checkSingle(steps, 'dedupe', `${path}.dedupe`, 'drop repeats once'))
  problems.push(
    ...checkSingle(steps, 'session-features', `${path}.withSessionFeatures`, 'name all features in one step'),
  )
  problems.push(...checkSingle(steps, 'predict', `${path}.predict`, 'give each model a query of its own'))
  problems.push(...checkSingle(steps, 'funnel', `${path}.funnel`, 'give each funnel a query of its own'))
  const watermarkAt = steps.findIndex(({ kind }) => kind === 'watermark')
  for (const [index, { kind }] of steps.entries()) {
    if (!REMEMBERS.includes(kind) || (watermarkAt >= 0 && index > watermarkAt)) continue
    const hint = "put .withWatermark('event_time', '2 minutes') before it"
    problems.push({
      path: `${path}.${METHODS[kind as TimedStep['kind']]}`,
      message: 'its memory would grow for ever: no watermark comes before it',
      hint,
    })
  }
  problems.push(
    ...checkAfterFeatures(steps, path),
    ...checkAroundPredict(steps, path),
    ...checkAfterFunnel(steps, path),
  )
  return problems
}

/** Rows with features come out late, in an order of their own: nothing that looks at time may follow. */
function checkAfterFeatures(steps: readonly QueryNode[], path: string): PlanProblem[] {
  const featuresAt = steps.findIndex(({ kind }) => kind === 'session-features')
  const misplaced = steps.find(({ kind }, index) => {
    return featuresAt >= 0 && index > featuresAt && (kind === 'aggregate' || kind === 'dedupe' || kind === 'funnel')
  })
  if (!misplaced) return []
  const message = `${misplaced.kind === 'aggregate' ? 'a window' : misplaced.kind} follows session features`
  return [{ path, message, hint: 'put it in front of withSessionFeatures(), and end the query with select()' }]
}

/** Rows with probabilities come out late too; what the model says about itself comes from the model. */
function checkAroundPredict(steps: readonly QueryNode[], path: string): PlanProblem[] {
  const predictAt = steps.findIndex(({ kind }) => kind === 'predict')
  const orphan = steps.find(({ kind }, index) => kind === 'model-report' && steps[index - 1]?.kind !== 'predict')
  if (orphan) {
    const hint = 'put modelMetrics() and its like right behind predict()'
    return [{ path, message: 'a report on a model that does not stand before it', hint }]
  }
  if (predictAt < 0) return []
  const behind = steps.slice(predictAt + 1)
  const misplaced = behind.find(
    ({ kind }) => kind !== 'filter' && kind !== 'derive' && kind !== 'select' && kind !== 'model-report',
  )
  if (misplaced) {
    const message = `${misplaced.kind === 'aggregate' ? 'a window' : misplaced.kind} follows predict`
    return [{ path, message, hint: 'put it in front of predict(), and end the query with select()' }]
  }
  const predict = steps[predictAt]
  const seesFuture = steps.some((step) => step.kind === 'session-features' && step.mode !== 'past')
  if (!seesFuture || predict?.kind !== 'predict' || predict.label.kind === 'itself') return []
  const message = 'a label that comes later, for features that see the future'
  return [{ path: `${path}.predict`, message, hint: "use session features in mode 'past', or itself() as the label" }]
}

/** Behind a funnel rows are attempts, which are no events that could be repeated or predicted. */
function checkAfterFunnel(steps: readonly QueryNode[], path: string): PlanProblem[] {
  const funnelAt = steps.findIndex(({ kind }) => kind === 'funnel')
  const misplaced = steps.find(({ kind }, index) => funnelAt >= 0 && index > funnelAt && REMEMBERS.includes(kind))
  if (!misplaced || misplaced.kind === 'funnel') return []
  const hint = 'put it in front of funnel(), and end the query with conversions(), a window or select()'
  return [{ path, message: `${misplaced.kind} follows a funnel`, hint }]
}

function checkSingle(steps: readonly QueryNode[], kind: QueryNode['kind'], path: string, hint: string): PlanProblem[] {
  const count = steps.filter((step) => step.kind === kind).length
  const name = kind === 'watermark' ? 'watermarks' : `steps of ${kind}`
  return count > 1 ? [{ path, message: `the query has ${count} ${name}`, hint }] : []
}

/** The steps behind the source, in the order of the rows. */
function stepsOf(root: QueryNode): QueryNode[] {
  const steps: QueryNode[] = []
  for (let node = root; node.kind !== 'source'; node = node.input) steps.push(node)
  return steps.reverse()
}
