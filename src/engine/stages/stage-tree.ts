import { assert, unreachable } from '../../base/assert.ts'
import { type Field, fieldIndex } from '../../batch/schema.ts'
import type { Expression, RowProperty } from '../../plan/expression.ts'
import { attemptFields } from '../../plan/funnel.ts'
import { predictionFields, reportFields } from '../../plan/model-fields.ts'
import type {
  AggregateNode,
  DedupeNode,
  DeriveNode,
  FunnelNode,
  PipelinePlan,
  PredictNode,
  QueryNode,
  SelectNode,
  SessionFeaturesNode,
  WatermarkNode,
} from '../../plan/node.ts'
import { queryChain } from '../../plan/query-chain.ts'
import { expressionFields, featureType } from '../../plan/row-fields.ts'
import { parts } from '../../plan/used-columns.ts'
import { rowPropertyField } from '../../plan/value-type.ts'
import { createGrid, createOperator } from '../compile-operator.ts'
import { WideIds } from '../dedupe/wide-ids.ts'
import type { EngineOptions, QueryOutput } from '../engine.ts'
import { compileExpression } from '../expression/compile.ts'
import { compilePredicate } from '../predicate.ts'
import { delayedClock, type EventClock, Watermark } from '../watermark.ts'
import { AggregateStage } from './aggregate-stage.ts'
import { type DedupeOptions, DedupeStage } from './dedupe-stage.ts'
import { DeriveStage } from './derive-stage.ts'
import { FeaturesStage, type FeaturesStageOptions } from './features-stage.ts'
import { FilterStage } from './filter-stage.ts'
import { FunnelStage } from './funnel-stage.ts'
import { PredictStage } from './predict-stage.ts'
import { SelectStage } from './select-stage.ts'
import type { Stage } from './stage.ts'
import { WatermarkStage } from './watermark-stage.ts'

/** So many remembered ids, of some 50 bytes each, take about what one group of a query may. */
const IDS_FOR_A_GROUP = 4

/** The steps of all queries of a pipeline, each step once: queries that begin alike share what they have in common. */
export interface StageTree {
  /** Get the valid rows of each batch. */
  readonly roots: readonly Stage[]
  readonly watermarks: readonly WatermarkStage[]
  readonly dedupes: readonly DedupeStage[]
  readonly features: readonly FeaturesStage[]
  readonly predicts: readonly PredictStage[]
  readonly funnels: readonly FunnelStage[]
  /** By index of the query. */
  readonly outputs: readonly (AggregateStage | SelectStage)[]
}

/** Compiles a checked plan over rows with these fields, for the owner of some shards; of all when none are named. */
export function compileStages(
  plan: PipelinePlan,
  fields: readonly Field[],
  outputs: readonly QueryOutput[],
  options: EngineOptions,
  ownShards?: readonly number[],
): StageTree {
  return new StageCompiler(outputs, options, ownShards).compile(plan, fields)
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
    | {
        readonly watermark: Watermark
        /** What rows are judged by here: the watermark, or behind a funnel as much less as attempts have time. */
        readonly clock: EventClock
        readonly node: WatermarkNode
        readonly timeIndex: number
      }
    | undefined
  /** Rows come from a step that has held them until the watermark passed. */
  readonly ordered?: boolean
}

class StageCompiler {
  readonly #queries: readonly QueryOutput[]
  readonly #options: EngineOptions
  readonly #ownShards: readonly number[] | undefined
  readonly #watermarks: WatermarkStage[] = []
  readonly #dedupes: DedupeStage[] = []
  readonly #features: FeaturesStage[] = []
  readonly #predicts: PredictStage[] = []
  readonly #funnels: FunnelStage[] = []
  readonly #outputs: (AggregateStage | SelectStage)[] = []

  constructor(queries: readonly QueryOutput[], options: EngineOptions, ownShards: readonly number[] | undefined) {
    this.#queries = queries
    this.#options = options
    this.#ownShards = ownShards
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
    return {
      roots,
      watermarks: this.#watermarks,
      dedupes: this.#dedupes,
      features: this.#features,
      predicts: this.#predicts,
      funnels: this.#funnels,
      outputs: this.#outputs,
    }
  }

  #all(level: ReadonlyMap<string, Branching>, scope: Scope): Stage[] {
    return [...level.values()].map((branching) => this.#stage(branching, scope))
  }

  #stage(branching: Branching, scope: Scope): Stage {
    const { node, next } = branching
    switch (node.kind) {
      case 'filter':
        return new FilterStage(compilePredicate(node.predicate, scope.fields), this.#all(next, scope))
      case 'derive':
        return this.#derive(branching, node, scope)
      case 'dedupe':
        return this.#dedupe(branching, node, scope)
      case 'session-features':
        return this.#sessionFeatures(branching, node, scope)
      case 'predict':
        return this.#predict(branching, node, scope)
      case 'funnel':
        return this.#funnel(branching, node, scope)
      case 'model-report':
        return assert(false, 'the plan was checked: a report follows its model') as never
      case 'select':
        return this.#select(branching, node, scope)
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

  #derive({ next }: Branching, node: DeriveNode, scope: Scope): Stage {
    const fields = [...scope.fields, ...expressionFields(node.columns, scope.fields)]
    const columns = node.columns.map(({ expression }) =>
      compileExpression(expression, scope.fields, this.#options.hashKey[0]),
    )
    return new DeriveStage(fields, columns, this.#all(next, { ...scope, fields }))
  }

  #dedupe({ query, next }: Branching, node: DedupeNode, scope: Scope): Stage {
    const { fields, event } = scope
    assert(event, 'the plan was checked: a dedupe has a watermark')
    const { hashKey, groupsMax } = this.#options
    const options: DedupeOptions = {
      id: `${query.name}/dedupe`,
      node,
      ids: new WideIds(fieldIndex({ fields }, node.column), hashKey),
      hashKey,
      watermark: event.watermark,
      eventTimeIndex: event.timeIndex,
      spark: event.node.policy === 'global-max',
      idsMax: groupsMax * IDS_FOR_A_GROUP,
    }
    const stage = new DedupeStage(options, this.#all(next, scope))
    this.#dedupes.push(stage)
    return stage
  }

  #sessionFeatures({ query, next }: Branching, node: SessionFeaturesNode, scope: Scope): Stage {
    const { fields, event } = scope
    assert(event, 'the plan was checked: features have a watermark')
    const { hashKey, groupsMax } = this.#options
    const featureFields = node.features.map(({ name, spec }) => ({ ...featureType(spec, fields), name }))
    const outputFields = [...fields, ...featureFields]
    const options: FeaturesStageOptions = {
      id: `${query.name}/session-features`,
      node,
      fields,
      featureFields,
      outputFields,
      byIndex: fieldIndex({ fields }, node.by),
      eventTimeIndex: event.timeIndex,
      watermark: event.watermark,
      grid: createGrid(node.window),
      hashKey,
      rowsMax: groupsMax,
    }
    const stage = new FeaturesStage(options, this.#all(next, { ...scope, fields: outputFields, ordered: true }))
    this.#features.push(stage)
    return stage
  }

  #predict({ query, next }: Branching, node: PredictNode, scope: Scope): Stage {
    const { fields, event } = scope
    assert(event, 'the plan was checked: a model has a watermark')
    const outputFields = [...fields, ...predictionFields(node.label)]
    const reports = [...next.values()].flatMap(({ node: one, next: below }) => {
      if (one.kind !== 'model-report') return []
      return [{ what: one.what, stages: this.#all(below, { ...scope, fields: reportFields(one.what) }) }]
    })
    const rows = new Map([...next].filter(([, branching]) => branching.node.kind !== 'model-report'))
    const predictions = this.#all(rows, { ...scope, fields: outputFields })
    const stage = new PredictStage(
      {
        id: `${query.name}/predict`,
        node,
        fields,
        outputFields,
        eventTimeIndex: event.timeIndex,
        watermark: event.watermark,
        ordered: scope.ordered === true,
        hashKey: this.#options.hashKey,
        rowsMax: this.#options.groupsMax,
      },
      { predictions, reports },
    )
    this.#predicts.push(stage)
    return stage
  }

  #funnel({ query, next }: Branching, node: FunnelNode, { fields, event }: Scope): Stage {
    assert(event, 'the plan was checked: a funnel has a watermark')
    const outputFields = attemptFields(fields[fieldIndex({ fields }, node.by)] as Field)
    const after = { ...event, clock: delayedClock(event.clock, node.withinMs), timeIndex: 0 }
    const stage = new FunnelStage(
      {
        id: `${query.name}/funnel`,
        node,
        fields,
        outputFields,
        eventTimeIndex: event.timeIndex,
        watermark: event.watermark,
        hashKey: this.#options.hashKey,
        rowsMax: this.#options.groupsMax,
      },
      this.#all(next, { fields: outputFields, event: after }),
    )
    this.#funnels.push(stage)
    return stage
  }

  #select({ query, queryIndex }: Branching, node: SelectNode, { fields }: Scope): Stage {
    const properties = rowProperties(node)
    const inputFields = [...fields, ...properties.map(rowPropertyField)]
    const hashSeed = this.#options.hashKey[0]
    const stage = new SelectStage({
      query: query.name,
      columns: node.columns.map(({ expression }) => compileExpression(expression, inputFields, hashSeed)),
      properties,
      inputFields,
      resultFields: query.fields,
      hashSeed,
    })
    this.#outputs[queryIndex] = stage
    return stage
  }

  #watermark({ query, next }: Branching, node: WatermarkNode, { fields }: Scope): Stage {
    const watermark = new Watermark(node, this.#options.advanceWhenIdle)
    const timeIndex = fieldIndex({ fields }, node.column)
    const place = this.#watermarks.length
    // Ids are given in the order of queries, before those of steps further down.
    this.#watermarks.push(undefined as never)
    const stages = this.#all(next, { fields, event: { watermark, clock: watermark, node, timeIndex } })
    const stage = new WatermarkStage(`${query.name}/watermark`, node, watermark, timeIndex, stages)
    this.#watermarks[place] = stage
    return stage
  }

  #aggregate({ query, queryIndex }: Branching, node: AggregateNode, { fields, event }: Scope): Stage {
    assert(event, 'the plan was checked: a windowed query has a watermark')
    const spark = event.node.policy === 'global-max'
    const operator = createOperator({
      query: query.name,
      node,
      fields,
      resultFields: query.fields,
      eventTimeIndex: event.timeIndex,
      modes: query.modes,
      ownShards: this.#ownShards,
      spark,
      keepsClosed: spark && query.modes.includes('complete') && !query.modes.includes('append'),
      groupsMax: this.#options.groupsMax,
      hashKey: this.#options.hashKey,
    })
    const stage = new AggregateStage(query.name, operator, event.clock, event.timeIndex)
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

/** The facts about rows that a select asks for, each once. */
function rowProperties(node: SelectNode): RowProperty[] {
  const found = new Set<RowProperty>()
  const look = (expression: Expression): void => {
    if (expression.kind === 'row') found.add(expression.property)
    for (const part of parts(expression)) look(part)
  }
  for (const { expression } of node.columns) look(expression)
  return [...found]
}
