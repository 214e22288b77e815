import type { Field } from '../batch/schema.ts'
import { type LabelSpec, type ModelReportNode, NO_CLASS } from './node.ts'

/**
 * Columns that `predict` adds: a probability, or that of each class and before them the likeliest class with its probability; then the
 * version of the model.
 */
export function predictionFields(label: LabelSpec): readonly Field[] {
  const version: Field = { name: 'model_version', type: 'int64', required: true }
  if (label.kind !== 'next') return [probabilityField('probability'), version]
  const classes = labelClasses(label).map((name) => probabilityField(classColumn(name)))
  const prediction: Field = { name: 'prediction', type: 'string', required: true }
  return [prediction, probabilityField('probability'), ...classes, version]
}

/** The column with the probability of a class. */
export function classColumn(name: string): string {
  return `probability_${name}`
}

/** Classes in the order in which models know them; none when the label is true or false. */
export function labelClasses(label: LabelSpec): readonly string[] {
  return label.kind === 'next' ? [...label.classes, NO_CLASS] : []
}

function probabilityField(name: string): Field {
  return { name, type: 'float64', required: true }
}

/** Values of a text that have a weight of their own unless the plan says otherwise, with the one for all others. */
export const TEXT_VALUES_MAX = 100

/** The columns of a report on a model, in order. */
export function reportFields(what: ModelReportNode['what']): readonly Field[] {
  return REPORT_FIELDS[what]
}

const HEAD: readonly Field[] = [
  { name: 'as_of', type: 'timestamp', required: true },
  { name: 'model_version', type: 'int64', required: true },
]

/** The class that a row of a report is about; null for models of two. */
const CLASS: Field = { name: 'class', type: 'string', required: false }

/** Which model of several that learn side by side. */
const MODEL: readonly Field[] = [
  { name: 'model', type: 'string', required: true },
  { name: 'role', type: 'string', required: true },
]

const EVENT_FIELDS: readonly Field[] = [
  ...HEAD,
  { name: 'model', type: 'string', required: true },
  { name: 'event', type: 'string', required: true },
  { name: 'outcome', type: 'int64', required: true },
  { name: 'to_version', type: 'int64', required: false },
  { name: 'reason', type: 'string', required: true },
]

const WEIGHT_FIELDS: readonly Field[] = [
  ...HEAD,
  ...MODEL,
  CLASS,
  { name: 'feature', type: 'string', required: true },
  { name: 'weight', type: 'float64', required: true },
]

const METRIC_FIELDS: readonly Field[] = [
  ...HEAD,
  ...MODEL,
  CLASS,
  ...wholes('outcomes', 'window_outcomes', 'window_positives'),
  ...shares('base_rate', 'log_loss', 'base_log_loss', 'skill', 'skill_margin', 'auc', 'brier', 'calibration_error'),
  ...shares('accuracy', 'majority_accuracy', 'precision_at_10', 'lift_at_10', 'intercept'),
  { name: 'verdict', type: 'string', required: true },
  { name: 'worse_than_base_rate', type: 'boolean', required: true },
  ...wholes('drifts', 'score_drifts', 'drift_warnings', 'rollbacks', 'skipped_batches', 'waiting', 'unlabelled'),
  ...wholes('left_out', 'extreme_numbers', 'absent_features', 'shared_texts', 'constant_numbers'),
]

const EXPORT_FIELDS: readonly Field[] = [...HEAD, ...MODEL, { name: 'export', type: 'string', required: true }]

const REPORT_FIELDS: { readonly [W in ModelReportNode['what']]: readonly Field[] } = {
  metrics: METRIC_FIELDS,
  weights: WEIGHT_FIELDS,
  events: EVENT_FIELDS,
  export: EXPORT_FIELDS,
}

function wholes(...names: readonly string[]): Field[] {
  return names.map((name) => ({ name, type: 'int64', required: true }))
}

/** Null where it cannot be told: without a positive among the outcomes, or without a negative. */
function shares(...names: readonly string[]): Field[] {
  return names.map((name) => ({ name, type: 'float64', required: false }))
}
