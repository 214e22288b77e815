import { unreachable } from '../base/assert.ts'
import type { Deviation, SparkPlan } from './capability.ts'
import type { Relation, SqlText } from './relation.ts'
import type { SparkQuery } from './write-stream.ts'

/** What runs on Spark, in words and SQL, for whoever reviews it: the steps in the order in which rows pass them. */
export function describeSpark({ plan, changes, refusals }: SparkPlan, queries: readonly SparkQuery[]): string {
  const lines = [`${plan.name} on Spark`]
  for (const { query } of queries.filter((one, index) => queries[index - 1]?.query !== one.query)) {
    const own = queries.filter((one) => one.query === query)
    const [first] = own
    if (!first) continue
    lines.push('', `query ${query.name}`, ...relationLines(innerOf(first)))
    for (const { name, stream, checkpoint, relay } of own) {
      const target = stream.path ?? `topic ${stream.options['topic']}`
      lines.push(`  ${relay ? `relay to ${name}` : `write ${name}`}: ${stream.format} in ${target}`)
      lines.push(`    checkpoint ${checkpoint.folder}`)
    }
  }
  lines.push(...deviationLines('otherwise on Spark', changes), ...deviationLines('not on Spark', refusals))
  return `${lines.join('\n')}\n`
}

/** The relation of the query, without what the sink makes of its columns. */
function innerOf({ stream }: SparkQuery): Relation {
  return 'project' in stream.input ? stream.input.project.input : stream.input
}

function relationLines(relation: Relation): string[] {
  if ('sql' in relation) return [`  sql ${relation.sql.query}`]
  if ('read' in relation) {
    const { format, options, paths } = relation.read.data_source
    const named = Object.entries(options).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    return [`  read ${[format, ...paths, ...named].join(' ')}`]
  }
  if ('project' in relation) {
    return [...relationLines(relation.project.input), '  select', ...texts(relation.project.expressions)]
  }
  if ('filter' in relation)
    return [...relationLines(relation.filter.input), '  where', ...texts([relation.filter.condition])]
  if ('with_watermark' in relation) {
    const { input, event_time: column, delay_threshold: delay } = relation.with_watermark
    return [...relationLines(input), `  watermark ${column}, ${delay}`]
  }
  if ('deduplicate' in relation) {
    const { input, column_names: names } = relation.deduplicate
    return [...relationLines(input), `  dedupe within the watermark by ${names.join(', ')}`]
  }
  if ('aggregate' in relation) {
    const { input, grouping_expressions: keys, aggregate_expressions: added } = relation.aggregate
    return [...relationLines(input), '  group by', ...texts(keys), '  aggregate', ...texts(added)]
  }
  return unreachable(relation)
}

function texts(expressions: readonly SqlText[]): string[] {
  return expressions.map(({ expression_string: { expression } }) => `    ${expression}`)
}

/** What is said of several queries is said once. */
function deviationLines(title: string, deviations: readonly Deviation[]): string[] {
  if (deviations.length === 0) return []
  const groups = Map.groupBy(deviations, ({ what, instead }) => `  ${what}: ${instead}`)
  return [
    '',
    title,
    ...[...groups].flatMap(([text, own]) => [text, `    in ${own.map(({ query }) => query).join(', ')}`]),
  ]
}
