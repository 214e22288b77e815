import { encodeText } from '../../base/bytes.ts'
import type { Column } from '../../batch/column.ts'
import type { BinaryModel } from '../../ml/binary-model.ts'
import type { LearnerReport } from '../../ml/learner.ts'
import { verdictOf } from '../../ml/metrics/verdict.ts'
import type { NamedWeight, RowCounts } from '../../ml/model-summary.ts'
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
  model: BinaryModel,
  names: readonly { readonly slot: number; readonly name: string }[],
  weightsMax: number,
): NamedWeight[] {
  const all = names.map(({ slot, name }) => ({ slot, name, weight: model.weights[slot] as number }))
  const largest =
    all.length <= weightsMax
      ? all
      : all
          .toSorted((left, right) => Math.abs(right.weight) - Math.abs(left.weight) || left.slot - right.slot)
          .slice(0, weightsMax)
          .sort((left, right) => left.slot - right.slot)
  return largest.map(({ slot, name, weight }) => ({ name, weight, ...model.moments(slot) }))
}

/** One row: how good the model was over its last outcomes. */
export function metricsRow(asOfMs: number, report: LearnerReport, rows: RowCounts): ReportRows {
  const { updates, outcomes, metrics, intercept, counts } = report
  const values: Readonly<Record<string, number | string | null>> = {
    as_of: asOfMs,
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
  const columns = reportFields('metrics').map((field) => {
    const builder = new ColumnBuilder(field, 1)
    const value = values[field.name] ?? Number.NaN
    if (typeof value === 'string') builder.bytes(encodeText(value))
    else builder.number(value)
    return builder.finish()
  })
  return { columns, rowCount: 1 }
}

/** A row for each weight, the intercept last. */
export function weightRows(asOfMs: number, report: LearnerReport, weights: readonly NamedWeight[]): ReportRows {
  const rows = [...weights, { name: INTERCEPT, weight: report.intercept }]
  const [asOf, version, feature, weight] = reportFields('weights').map((field) => new ColumnBuilder(field, rows.length))
  for (const row of rows) {
    asOf?.number(asOfMs)
    version?.number(report.updates)
    feature?.bytes(encodeText(row.name))
    weight?.number(row.weight)
  }
  const columns = [asOf, version, feature, weight].flatMap((builder) => (builder ? [builder.finish()] : []))
  return { columns, rowCount: rows.length }
}
