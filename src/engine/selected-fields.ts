import type { Field } from '../batch/schema.ts'
import type { Expression } from '../plan/expression.ts'
import type { PipelinePlan } from '../plan/node.ts'
import { queryChain } from '../plan/query-chain.ts'

/**
 * The fields that a decoder has to fill for a pipeline: those that queries, rules and watermarks use, and all required ones, in the
 * order of the schema. Event time is required, whatever the schema says: a row without it belongs to no window.
 */
export function selectedFields(plan: PipelinePlan): Field[] {
  const used = new Set<string>()
  const eventTimes = new Set<string>()
  const fields: Field[] = []
  for (const query of plan.queries) {
    const { source, filtersBefore, watermark, filtersAfter, aggregate } = queryChain(query.root)
    if (fields.length === 0) fields.push(...source.schema.fields)
    for (const rule of source.rules) {
      used.add(rule.column)
      if (rule.kind === 'required' && rule.when) used.add(rule.when.column)
    }
    for (const predicate of [...filtersBefore, ...filtersAfter]) collectColumns(predicate, used)
    if (watermark) eventTimes.add(watermark.column)
    for (const key of aggregate?.keys ?? []) used.add(key)
    for (const { spec } of aggregate?.aggregates ?? []) {
      if (spec.kind !== 'count') used.add(spec.column)
      if (spec.where) collectColumns(spec.where, used)
    }
  }
  return fields
    .filter((field) => field.required || used.has(field.name) || eventTimes.has(field.name))
    .map((field) =>
      eventTimes.has(field.name) && !field.required ? Object.freeze({ ...field, required: true }) : field,
    )
}

function collectColumns(node: Expression, into: Set<string>): void {
  switch (node.kind) {
    case 'column':
      into.add(node.name)
      return
    case 'literal':
      return
    case 'compare':
      collectColumns(node.left, into)
      collectColumns(node.right, into)
      return
    case 'and':
    case 'or':
      for (const operand of node.operands) collectColumns(operand, into)
      return
    case 'not':
    case 'is-null':
    case 'in':
      collectColumns(node.operand, into)
  }
}
