import type { Field } from '../batch/schema.ts'
import type { ModelReportNode } from './node.ts'

/** Columns that `predict` adds. */
export const PREDICTION_FIELDS: readonly Field[] = [
  { name: 'probability', type: 'float64', required: true },
  { name: 'model_version', type: 'int64', required: true },
]

/** Values of a text that have a weight of their own unless the plan says otherwise, with the one for all others. */
export const TEXT_VALUES_MAX = 100

/** The columns of a report on a model, in order. */
export function reportFields(what: ModelReportNode['what']): readonly Field[] {
  return what === 'metrics' ? METRIC_FIELDS : WEIGHT_FIELDS
}

const HEAD: readonly Field[] = [
  { name: 'as_of', type: 'timestamp', required: true },
  { name: 'model_version', type: 'int64', required: true },
]

const WEIGHT_FIELDS: readonly Field[] = [
  ...HEAD,
  { name: 'feature', type: 'string', required: true },
  { name: 'weight', type: 'float64', required: true },
]

const METRIC_FIELDS: readonly Field[] = [
  ...HEAD,
  ...wholes('outcomes', 'window_outcomes', 'window_positives'),
  ...shares('base_rate', 'log_loss', 'base_log_loss', 'skill', 'skill_margin', 'auc', 'brier', 'calibration_error'),
  ...shares('accuracy', 'majority_accuracy', 'precision_at_10', 'lift_at_10', 'intercept'),
  { name: 'verdict', type: 'string', required: true },
  { name: 'worse_than_base_rate', type: 'boolean', required: true },
  ...wholes('drifts', 'drift_warnings', 'rollbacks', 'skipped_batches', 'waiting', 'unlabelled'),
  ...wholes('left_out', 'extreme_numbers'),
]

function wholes(...names: readonly string[]): Field[] {
  return names.map((name) => ({ name, type: 'int64', required: true }))
}

/** Null where it cannot be told: without a positive among the outcomes, or without a negative. */
function shares(...names: readonly string[]): Field[] {
  return names.map((name) => ({ name, type: 'float64', required: false }))
}
