import { assert, unreachable } from '../base/assert.ts'
import type { Field } from '../batch/schema.ts'
import { aggregateType } from './aggregate-type.ts'
import { expressionType } from './expression-type.ts'
import { attemptFields } from './funnel.ts'
import { predictionFields, reportFields } from './model-fields.ts'
import type { FeatureSpec, NamedExpression, QueryNode } from './node.ts'
import type { ValueType } from './value-type.ts'

/**
 * Columns of the rows that come out of a step that is no aggregate or select: those of the source, then what steps have added,
 * in the order of the steps. The steps were checked.
 */
export function rowFields(node: QueryNode): readonly Field[] {
  switch (node.kind) {
    case 'source':
      return node.schema.fields
    case 'filter':
    case 'watermark':
    case 'dedupe':
      return rowFields(node.input)
    case 'derive':
      return [...rowFields(node.input), ...expressionFields(node.columns, rowFields(node.input))]
    case 'session-features': {
      const fields = rowFields(node.input)
      return [...fields, ...node.features.map(({ name, spec }) => ({ ...featureType(spec, fields), name }))]
    }
    case 'predict':
      return [...rowFields(node.input), ...predictionFields(node.label)]
    case 'model-report':
      return reportFields(node.what)
    case 'funnel':
      return attemptFields(fieldNamed(rowFields(node.input), node.by))
    case 'aggregate':
    case 'select':
      return rowFields(node.input)
    default:
      return unreachable(node)
  }
}

/** Names of the columns of `rowFields`, of steps that need not have been checked. */
export function columnNames(node: QueryNode): string[] {
  switch (node.kind) {
    case 'source':
      return node.schema.fields.map(({ name }) => name)
    case 'derive':
      return [...columnNames(node.input), ...node.columns.map(({ name }) => name)]
    case 'session-features':
      return [...columnNames(node.input), ...node.features.map(({ name }) => name)]
    case 'predict':
      return [...columnNames(node.input), ...predictionFields(node.label).map(({ name }) => name)]
    case 'model-report':
      return reportFields(node.what).map(({ name }) => name)
    case 'funnel':
      return attemptFields({ name: node.by, type: 'string', required: true }).map(({ name }) => name)
    default:
      return columnNames(node.input)
  }
}

function fieldNamed(fields: readonly Field[], name: string): Field {
  const field = fields.find((one) => one.name === name)
  assert(field, `the plan was checked: column ${name} exists`)
  return field
}

/** Fields of columns that are computed from rows with these fields. */
export function expressionFields(columns: readonly NamedExpression[], fields: readonly Field[]): Field[] {
  return columns.map(({ name, expression }) => ({ ...expressionType(expression, fields), name }))
}

/** Type of a feature over rows with these fields; null for a row without a session. */
export function featureType(spec: FeatureSpec, fields: readonly Field[]): ValueType {
  if (spec.kind === 'elapsed') return { type: 'float64', required: false }
  return { ...aggregateType(spec, fields), required: false }
}
