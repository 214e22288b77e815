import { unreachable } from '../base/assert.ts'
import type { AggregateSpec } from './aggregate.ts'
import type { Expression } from './expression.ts'
import type { FeatureSpec, QueryNode } from './node.ts'

/** Names of all columns that the steps of a query look at, those of its source and those that steps have added. */
export function usedColumns(root: QueryNode): Set<string> {
  const used = new Set<string>()
  for (let node = root; ; node = node.input) {
    collectFromStep(node, used)
    if (node.kind === 'source') return used
  }
}

function collectFromStep(node: QueryNode, into: Set<string>): void {
  switch (node.kind) {
    case 'source':
      for (const rule of node.rules) {
        into.add(rule.column)
        if (rule.kind === 'required' && rule.when) into.add(rule.when.column)
      }
      return
    case 'filter':
      collectFrom(node.predicate, into)
      return
    case 'derive':
    case 'select':
      for (const { expression } of node.columns) collectFrom(expression, into)
      return
    case 'watermark':
    case 'dedupe':
      into.add(node.column)
      return
    case 'session-features':
      into.add(node.by)
      for (const { spec } of node.features) collectFromAggregate(spec, into)
      return
    case 'predict':
      into.add(node.by)
      for (const { column } of node.features) into.add(column)
      if (node.label.kind === 'next') into.add(node.label.column)
      else collectFrom(node.label.when, into)
      if (node.rows) collectFrom(node.rows, into)
      return
    case 'model-report':
      return
    case 'funnel':
      into.add(node.by)
      for (const { when } of node.steps) collectFrom(when, into)
      return
    case 'aggregate':
      for (const key of node.keys) into.add(key)
      for (const { spec } of node.aggregates) collectFromAggregate(spec, into)
      if (node.window.kind === 'session' && node.window.endWhen) collectFrom(node.window.endWhen, into)
      return
    default:
      unreachable(node)
  }
}

function collectFromAggregate(spec: AggregateSpec | FeatureSpec, into: Set<string>): void {
  if (spec.kind === 'elapsed') return
  if (spec.kind !== 'count') into.add(spec.column)
  if (spec.where) collectFrom(spec.where, into)
}

function collectFrom(node: Expression, into: Set<string>): void {
  if (node.kind === 'column') into.add(node.name)
  for (const part of parts(node)) collectFrom(part, into)
}

/** The expressions that an expression is made of. */
export function parts(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'column':
    case 'literal':
    case 'row':
      return []
    case 'compare':
      return [node.left, node.right]
    case 'and':
    case 'or':
    case 'call':
      return node.operands
    case 'not':
    case 'is-null':
    case 'in':
      return [node.operand]
    case 'case': {
      const branches = node.branches.flatMap(({ when, value }) => [when, value])
      return node.otherwise ? [...branches, node.otherwise] : branches
    }
    default:
      return unreachable(node)
  }
}
