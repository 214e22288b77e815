import { unreachable } from '../base/assert.ts'
import { formatDuration, MS_PER_DAY } from '../base/time.ts'
import type { AggregateSpec } from '../plan/aggregate.ts'
import { sinkName } from '../plan/check-sinks.ts'
import type { SinkSpec } from '../plan/connectors.ts'
import type { Expression } from '../plan/expression.ts'
import type {
  AggregateNode,
  DedupeNode,
  PipelinePlan,
  QueryNode,
  QueryPlan,
  SelectNode,
  SourceNode,
  WatermarkNode,
} from '../plan/node.ts'
import { queryChain } from '../plan/query-chain.ts'
import { rowFields } from '../plan/row-fields.ts'
import { parts, usedColumns } from '../plan/used-columns.ts'
import type { WindowSpec } from '../plan/window.ts'

/** Something that Spark does otherwise, or not at all. */
export interface Deviation {
  readonly query: string
  /** What the plan asks for. */
  readonly what: string
  /** What happens instead; of what is refused, what can be done about it. */
  readonly instead: string
}

/** A plan as Spark can run it. */
export interface SparkPlan {
  /** Says exactly what Spark will do: the embedded engine gives the same rows for it. Without the queries that are refused. */
  readonly plan: PipelinePlan
  /** Where it differs from the plan that was given. */
  readonly changes: readonly Deviation[]
  /** What cannot be done on Spark. */
  readonly refusals: readonly Deviation[]
}

/**
 * Finds what Spark cannot do, of a checked plan. Spark itself notices few of these mistakes: a session without a key dies at its first batch,
 * a window without a watermark never closes, a dedupe forgets by the delay whatever one would like.
 */
export function sparkPlan(plan: PipelinePlan): SparkPlan {
  const changes: Deviation[] = []
  const refusals: Deviation[] = []
  const queries = plan.queries.flatMap((query) => {
    const adapting = new Adapting(query, changes)
    const adapted = adapting.adapt()
    refusals.push(...adapting.refusals)
    return adapting.refusals.length > 0 ? [] : [adapted]
  })
  const running = new Set(queries.map(({ name }) => name))
  return { plan: { ...plan, queries }, changes: changes.filter(({ query }) => running.has(query)), refusals }
}

/** One query on its way to Spark. */
class Adapting {
  readonly refusals: Deviation[] = []
  readonly #query: QueryPlan
  readonly #changes: Deviation[]
  readonly #delayMs: number

  constructor(query: QueryPlan, changes: Deviation[]) {
    this.#query = query
    this.#changes = changes
    this.#delayMs = queryChain(query.root).watermark?.delayMs ?? 0
  }

  adapt(): QueryPlan {
    if (this.#query.meta) {
      this.#refuse('the columns "final" and "version"', 'leave `meta` out: every row of Spark is final')
    }
    const sinks = this.#query.sinks.flatMap((sink) => this.#sink(sink))
    return { ...this.#query, root: this.#node(this.#query.root), sinks }
  }

  #refuse(what: string, instead: string): void {
    this.refusals.push({ query: this.#query.name, what, instead })
  }

  #change(what: string, instead: string): void {
    this.#changes.push({ query: this.#query.name, what, instead })
  }

  #node(node: QueryNode): QueryNode {
    switch (node.kind) {
      case 'source':
        this.#checkJson(node)
        return node
      case 'filter':
      case 'derive':
        return { ...node, input: this.#node(node.input) }
      case 'watermark':
        return this.#watermark({ ...node, input: this.#node(node.input) })
      case 'dedupe':
        return this.#dedupe({ ...node, input: this.#node(node.input) })
      case 'session-features':
        this.#refuse('session features', HERE)
        return node
      case 'predict':
      case 'model-report':
        this.#refuse('a model that learns', HERE)
        return node
      case 'funnel':
        this.#refuse('a funnel', `${HERE}, or ask \`millrace query\` over the rows that Spark writes`)
        return node
      case 'aggregate':
        return this.#aggregate({ ...node, input: this.#node(node.input) })
      case 'select':
        return this.#select({ ...node, input: this.#node(node.input) })
      default:
        return unreachable(node)
    }
  }

  #checkJson({ schema }: SourceNode): void {
    const used = usedColumns(this.#query.root)
    const names = schema.fields
      .filter(({ name, type }) => type === 'json' && used.has(name))
      .map(({ name }) => `"${name}"`)
    if (names.length > 0)
      this.#change(
        `JSON as it was written (${names.join(', ')})`,
        'it says the same, written anew: members in the order of their names, 1.50 as 1.5, of members that come twice the last',
      )
  }

  #watermark(node: WatermarkNode): WatermarkNode {
    if (node.policy === 'per-partition') {
      const instead =
        'the newest event of all decides how far time is: a partition that is read slowly loses rows as late'
      this.#change('a watermark that waits for the slowest partition', instead)
    }
    if (node.clockSkewMaxMs !== null)
      this.#change('the guard against clocks that are ahead', 'one event far in the future closes every window')
    if (node.ageMaxMs !== null) this.#change('a maximal age of events', 'old events count as long as they are not late')
    return { ...node, policy: 'global-max', clockSkewMaxMs: null, ageMaxMs: null, advanceWhenIdle: false }
  }

  #dedupe(node: DedupeNode): DedupeNode {
    if (node.withinMs !== this.#delayMs) {
      const delay = formatDuration(this.#delayMs)
      const instead = `Spark remembers as long as the watermark waits, ${delay}; rows behind the watermark are dropped`
      this.#change(`a dedupe within ${formatDuration(node.withinMs)}`, instead)
    }
    // With a key, all repeats of an event are in one partition: those found over all of them are the same ones.
    if (node.scope === 'partition' && !queryChain(this.#query.root).source.keyed)
      this.#change('a dedupe by partition', 'repeats are found over all partitions')
    return { ...node, withinMs: this.#delayMs, scope: 'global' }
  }

  #aggregate(node: AggregateNode): AggregateNode {
    const fields = rowFields(node.input)
    for (const { name, spec } of node.aggregates) {
      const type = 'column' in spec ? fields.find((field) => field.name === spec.column)?.type : undefined
      this.#checkAggregate(name, spec, type)
    }
    return { ...node, window: this.#window(node.window, node.keys.length) }
  }

  #checkAggregate(name: string, spec: AggregateSpec, type: string | undefined): void {
    if (spec.kind === 'quantile')
      this.#refuse(`the quantile "${name}"`, "Spark's sketch gives other numbers: leave it out, or run it here")
    if (spec.kind === 'topK' && type !== 'string')
      this.#refuse(`topK of a column of type ${type} ("${name}")`, 'derive a text of it with toText()')
    if (spec.kind === 'first' || spec.kind === 'last')
      this.#change(`"${name}": the ${spec.kind} value`, 'of rows of the same time, any one may be taken')
  }

  #window(window: WindowSpec, keyCount: number): WindowSpec {
    switch (window.kind) {
      case 'tumbling':
      case 'sliding':
        return window
      case 'calendar':
        if (window.unit === 'month' || window.timeZone !== 'UTC')
          this.#refuse('windows by months, or by a time zone', 'days and weeks in UTC can be said')
        return window
      case 'session':
        return this.#session(window, keyCount)
      case 'global':
        this.#refuse('a window for ever', 'its rows are never final: use tumbling("1 day")')
        return window
      default:
        return unreachable(window)
    }
  }

  #session(window: Extract<WindowSpec, { kind: 'session' }>, keyCount: number): WindowSpec {
    if (keyCount === 0) this.#refuse('sessions without a key', 'group by the column that tells who it is')
    if (window.endWhen) this.#change('an event that ends its session', 'only inactivity does')
    // One that is as long as this has never had a gap: Spark would not see its end either.
    if (window.eventsMax !== null || (window.durationMaxMs !== null && window.durationMaxMs !== MS_PER_DAY))
      this.#change('a cap on sessions', 'they go on for as long as there are events')
    const { endWhen: _, ...rest } = window
    return { ...rest, durationMaxMs: null, eventsMax: null }
  }

  #select(node: SelectNode): SelectNode {
    const late = node.columns.filter(({ expression }) => asksWhetherLate(expression)).map(({ name }) => `"${name}"`)
    if (late.length > 0)
      this.#change(
        `whether a row is late (${late.join(', ')})`,
        'null: Spark counts late rows, but does not tell which',
      )
    return node
  }

  #sink(sink: SinkSpec): SinkSpec[] {
    const name = sinkName(this.#query.name, sink)
    switch (sink.kind) {
      case 'memory':
      case 'console':
        this.#change(`the sink ${name}`, 'it is left out: Spark writes to files, topics and, by a relay, to tables')
        return []
      case 'redis':
      case 'latest-file':
        this.#change(`the sink ${name}`, 'it is left out: only the job here keeps the newest text of a key')
        return []
      case 'kafka':
        if (sink.delivery === 'exactly-once')
          this.#change(
            `exactly-once records of ${name}`,
            'after a restart some may come twice: readers go by their keys',
          )
        return [sink]
      case 'postgres':
      case 'duckdb':
        if (sink.mode === 'update') this.#change(`values so far in ${name}`, 'rows come once, when their window closes')
        return [{ ...sink, mode: 'append' }]
      case 'json':
      case 'csv':
      case 'parquet':
        if (sink.roll) this.#change(`files of ${name} that gather epochs`, 'each micro-batch writes files of its own')
        return [sink]
      default:
        return unreachable(sink)
    }
  }
}

const HERE = 'run this query here, beside Spark, over the same topic'

function asksWhetherLate(node: Expression): boolean {
  return (node.kind === 'row' && node.property === 'late') || parts(node).some(asksWhetherLate)
}
