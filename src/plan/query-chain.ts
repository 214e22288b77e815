import { assert, unreachable } from '../base/assert.ts'
import type { Expression } from './expression.ts'
import type {
  AggregateNode,
  DedupeNode,
  DeriveNode,
  FilterNode,
  FunnelNode,
  ModelReportNode,
  PredictNode,
  QueryNode,
  SelectNode,
  SessionFeaturesNode,
  SourceNode,
  WatermarkNode,
} from './node.ts'

/** A query's nodes in the order in which rows pass them. */
export interface QueryChain {
  readonly source: SourceNode
  /** Steps in front of the watermark: rows that these reject never move time. */
  readonly stepsBefore: readonly RowStep[]
  readonly watermark: WatermarkNode | undefined
  /** Steps behind the watermark; none without one. */
  readonly stepsAfter: readonly TimedStep[]
  /** The step that ends the query; undefined when none does, which no checked plan has. */
  readonly output: AggregateNode | SelectNode | undefined
  /** The predicates among the steps before. */
  readonly filtersBefore: readonly Expression[]
  /** The predicates among the steps after. */
  readonly filtersAfter: readonly Expression[]
  /** The output, when it is an aggregate. */
  readonly aggregate: AggregateNode | undefined
}

/** A step that looks at one row at a time. */
export type RowStep = FilterNode | DeriveNode

/** A step behind the watermark. */
export type TimedStep = RowStep | DedupeNode | SessionFeaturesNode | PredictNode | ModelReportNode | FunnelNode

/**
 * Lays out the chain that ends in `root`. A chain has one source, at most one watermark in front of all that needs one, and an
 * output only at its end.
 */
export function queryChain(root: QueryNode): QueryChain {
  const stepsBefore: RowStep[] = []
  const stepsAfter: TimedStep[] = []
  let pending: TimedStep[] = []
  let watermark: WatermarkNode | undefined
  const output = root.kind === 'aggregate' || root.kind === 'select' ? root : undefined
  let node = output ? output.input : root
  while (node.kind !== 'source') {
    switch (node.kind) {
      case 'aggregate':
      case 'select':
        return assert(false, 'an aggregate or select ends its query') as never
      case 'watermark':
        assert(!watermark, 'a query has one watermark')
        watermark = node
        stepsAfter.push(...pending.reverse())
        pending = []
        break
      case 'filter':
      case 'derive':
      case 'dedupe':
      case 'session-features':
      case 'predict':
      case 'model-report':
      case 'funnel':
        pending.push(node)
        break
      default:
        unreachable(node)
    }
    node = node.input
  }
  for (const step of pending.reverse()) {
    assert(step.kind === 'filter' || step.kind === 'derive', 'what needs time comes behind the watermark')
    stepsBefore.push(step)
  }
  return {
    source: node,
    stepsBefore,
    watermark,
    stepsAfter,
    output,
    filtersBefore: predicates(stepsBefore),
    filtersAfter: predicates(stepsAfter),
    aggregate: output?.kind === 'aggregate' ? output : undefined,
  }
}

function predicates(steps: readonly TimedStep[]): Expression[] {
  return steps.flatMap((step) => (step.kind === 'filter' ? [step.predicate] : []))
}
