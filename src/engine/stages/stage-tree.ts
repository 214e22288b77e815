import { assert, unreachable } from '../../base/assert.ts'
import { type Field, fieldIndex } from '../../batch/schema.ts'
import type { AggregateNode, PipelinePlan, QueryNode, WatermarkNode } from '../../plan/node.ts'
import { queryChain } from '../../plan/query-chain.ts'
import { createOperator } from '../compile-operator.ts'
import type { EngineOptions, QueryOutput } from '../engine.ts'
import { compilePredicate } from '../predicate.ts'
import { Watermark } from '../watermark.ts'
import { AggregateStage } from './aggregate-stage.ts'
import { FilterStage } from './filter-stage.ts'
import type { Stage } from './stage.ts'
import { WatermarkStage } from './watermark-stage.ts'

/** The steps of all queries of a pipeline, each step once: queries that begin alike share what they have in common. */
export interface StageTree {
  /** Get the valid rows of each batch. */
  readonly roots: readonly Stage[]
  readonly watermarks: readonly WatermarkStage[]
  /** By index of the query. */
  readonly outputs: readonly AggregateStage[]
}

/** Compiles a checked plan over rows with these fields. */
export function compileStages(
  plan: PipelinePlan,
  fields: readonly Field[],
  outputs: readonly QueryOutput[],
  options: EngineOptions,
): StageTree {
  return new StageCompiler(outputs, options).compile(plan, fields)
}

/** A step with the steps behind it. */
interface Branching {
  readonly node: QueryNode
  /** The first query that takes this step. */
  readonly query: QueryOutput
  readonly queryIndex: number
  readonly next: Map<string, Branching>
}

/** What a step knows of the steps before it. */
interface Scope {
  readonly fields: readonly Field[]
  readonly event:
    | { readonly watermark: Watermark; readonly node: WatermarkNode; readonly timeIndex: number }
    | undefined
}

class StageCompiler {
  readonly #queries: readonly QueryOutput[]
  readonly #options: EngineOptions
  readonly #watermarks: WatermarkStage[] = []
  readonly #outputs: AggregateStage[] = []

  constructor(queries: readonly QueryOutput[], options: EngineOptions) {
    this.#queries = queries
    this.#options = options
  }

  compile(plan: PipelinePlan, fields: readonly Field[]): StageTree {
    const first = new Map<string, Branching>()
    for (const [queryIndex, { root }] of plan.queries.entries()) {
      const query = this.#queries[queryIndex] as QueryOutput
      const { stepsBefore, watermark, stepsAfter, output } = queryChain(root)
      assert(output, 'the plan was checked: a query ends in an output')
      const steps = [...stepsBefore, ...(watermark ? [watermark] : []), ...stepsAfter]
      let level = first
      for (const node of steps) level = branch(level, JSON.stringify(node), node, query, queryIndex).next
      branch(level, `query ${queryIndex}`, output, query, queryIndex)
    }
    const roots = this.#all(first, { fields, event: undefined })
    return { roots, watermarks: this.#watermarks, outputs: this.#outputs }
  }

  #all(level: ReadonlyMap<string, Branching>, scope: Scope): Stage[] {
    return [...level.values()].map((branching) => this.#stage(branching, scope))
  }

  #stage(branching: Branching, scope: Scope): Stage {
    const { node, next } = branching
    switch (node.kind) {
      case 'filter':
        return new FilterStage(compilePredicate(node.predicate, scope.fields), this.#all(next, scope))
      case 'watermark':
        return this.#watermark(branching, node, scope)
      case 'aggregate':
        return this.#aggregate(branching, node, scope)
      case 'source':
        return assert(false, 'a source is no step') as never
      default:
        return unreachable(node)
    }
  }

  #watermark({ query, next }: Branching, node: WatermarkNode, { fields }: Scope): Stage {
    const watermark = new Watermark(node, this.#options.advanceWhenIdle)
    const timeIndex = fieldIndex({ fields }, node.column)
    const place = this.#watermarks.length
    // Ids are given in the order of queries, before those of steps further down.
    this.#watermarks.push(undefined as never)
    const stages = this.#all(next, { fields, event: { watermark, node, timeIndex } })
    const stage = new WatermarkStage(`${query.name}/watermark`, node, watermark, timeIndex, stages)
    this.#watermarks[place] = stage
    return stage
  }

  #aggregate({ query, queryIndex }: Branching, node: AggregateNode, { fields, event }: Scope): Stage {
    assert(event, 'the plan was checked: a windowed query has a watermark')
    const operator = createOperator({
      query: query.name,
      node,
      fields,
      resultFields: query.fields,
      eventTimeIndex: event.timeIndex,
      modes: query.modes,
      spark: event.node.policy === 'global-max',
      groupsMax: this.#options.groupsMax,
      hashKey: this.#options.hashKey,
    })
    const stage = new AggregateStage(query.name, operator, event.watermark, event.timeIndex)
    this.#outputs[queryIndex] = stage
    return stage
  }
}

function branch(
  level: Map<string, Branching>,
  key: string,
  node: QueryNode,
  query: QueryOutput,
  queryIndex: number,
): Branching {
  let found = level.get(key)
  if (!found) {
    found = { node, query, queryIndex, next: new Map() }
    level.set(key, found)
  }
  return found
}
