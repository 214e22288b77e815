import { encodeText } from '../../base/bytes.ts'
import type { Column } from '../../batch/column.ts'
import type { LearnerReport } from '../../ml/learner.ts'
import { verdictOf } from '../../ml/metrics/verdict.ts'
import type { NamedWeight, RowCounts } from '../../ml/model-summary.ts'
import type { ModelPart } from '../../ml/step-model.ts'
import { reportFields } from '../../plan/model-fields.ts'
import { ColumnBuilder } from '../column-builder.ts'

/** Weights that a report has at most; the largest ones. */
export const REPORT_WEIGHTS_MAX = 1000

/** The constant of a linear model among its weights. */
const INTERCEPT = '(intercept)'

/** Rows of a report as columns. */
export interface ReportRows {
  readonly columns: readonly Column[]
  readonly rowCount: number
}

/** The largest weights, in the order of their slots; of texts only those that were seen. */
export function namedWeights(
  part: ModelPart,
  names: readonly { readonly slot: number; readonly name: string }[],
  weightsMax: number,
): NamedWeight[] {
  const all = names.map(({ slot, name }) => ({ slot, name, weight: part.weights[slot] as number }))
  const largest =
    all.length <= weightsMax
      ? all
      : all
          .toSorted((left, right) => Math.abs(right.weight) - Math.abs(left.weight) || left.slot - right.slot)
          .slice(0, weightsMax)
          .sort((left, right) => left.slot - right.slot)
  return largest.map(({ slot, name, weight }) => ({ name, weight, ...part.moments(slot) }))
}

/** A row for each part: how good it was over its last outcomes. */
export function metricRows(asOfMs: number, parts: readonly ModelPart[], rows: RowCounts): ReportRows {
  const all = parts.flatMap((part) => (part.report ? [metricValues(asOfMs, part, part.report, rows)] : []))
  const columns = reportFields('metrics').map((field) => {
    const builder = new ColumnBuilder(field, all.length)
    for (const values of all) {
      const value = values[field.name] ?? null
      if (value === null) builder.null()
      else if (typeof value === 'string') builder.bytes(encodeText(value))
      else builder.number(value)
    }
    return builder.finish()
  })
  return { columns, rowCount: all.length }
}

function metricValues(
  asOfMs: number,
  { className }: ModelPart,
  report: LearnerReport,
  rows: RowCounts,
): Readonly<Record<string, number | string | null>> {
  const { updates, outcomes, metrics, intercept, counts } = report
  return {
    as_of: asOfMs,
    class: className,
    model_version: updates,
    outcomes,
    window_outcomes: metrics.outcomes,
    window_positives: metrics.positives,
    base_rate: metrics.baseRate,
    log_loss: metrics.logLoss,
    base_log_loss: metrics.baseLogLoss,
    skill: metrics.skill,
    skill_margin: metrics.skillMargin,
    verdict: verdictOf(metrics),
    auc: metrics.auc,
    brier: metrics.brier,
    calibration_error: metrics.ece,
    accuracy: metrics.accuracy,
    majority_accuracy: metrics.majorityAccuracy,
    precision_at_10: metrics.precisionAtTop,
    lift_at_10: metrics.lift,
    intercept,
    worse_than_base_rate: metrics.skill < 0 ? 1 : 0,
    drifts: counts.drifts,
    drift_warnings: counts.warnings,
    rollbacks: counts.rollbacks,
    skipped_batches: counts.skippedBatches,
    waiting: rows.waiting,
    unlabelled: rows.unlabelled,
    left_out: rows.leftOut,
    extreme_numbers: rows.extremeNumbers,
  }
}

/** A row for each weight of each part, the intercept last. */
export function weightRows(
  asOfMs: number,
  parts: readonly ModelPart[],
  weightsOf: (part: ModelPart) => readonly NamedWeight[],
): ReportRows {
  const rows = parts.flatMap((part) =>
    [...weightsOf(part), { name: INTERCEPT, weight: part.intercept }].map((one) => ({ ...one, part })),
  )
  const builders = reportFields('weights').map((field) => new ColumnBuilder(field, rows.length))
  const [asOf, version, ofClass, feature, weight] = builders
  for (const row of rows) {
    asOf?.number(asOfMs)
    version?.number(row.part.version)
    if (row.part.className === null) ofClass?.null()
    else ofClass?.bytes(encodeText(row.part.className))
    feature?.bytes(encodeText(row.name))
    weight?.number(row.weight)
  }
  return { columns: builders.map((builder) => builder.finish()), rowCount: rows.length }
}
