import { unreachable } from '../../base/assert.ts'
import { encodeText } from '../../base/bytes.ts'
import type { Column } from '../../batch/column.ts'
import type { LearnerReport } from '../../ml/learner.ts'
import { verdictOf } from '../../ml/metrics/verdict.ts'
import type { PartEvent } from '../../ml/model-event.ts'
import type { NamedWeight, RowCounts } from '../../ml/model-summary.ts'
import type { ExportedModel, ModelPart } from '../../ml/step-model.ts'
import { reportFields } from '../../plan/model-fields.ts'
import type { ModelReportNode, PredictNode } from '../../plan/node.ts'
import { ColumnBuilder } from '../column-builder.ts'
import { exportText } from './exported-model.ts'
import type { FeatureReader } from './feature-reader.ts'

/** Weights that a report has at most; the largest ones. */
const REPORT_WEIGHTS_MAX = 1000

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

/** What a report is about. */
export interface ReportedModel {
  readonly asOfMs: number
  readonly parts: readonly ModelPart[]
  readonly events: readonly PartEvent[]
  readonly exports: () => readonly ExportedModel[]
  readonly node: PredictNode
  readonly counts: RowCounts
  readonly reader: FeatureReader
}

/** The rows of a report: for each part how good it was over its last outcomes, or its weights, or what has happened. */
export function modelReport(what: ModelReportNode['what'], model: ReportedModel): ReportRows {
  switch (what) {
    case 'metrics':
      return reportRows('metrics', metricRows(model))
    case 'weights':
      return reportRows('weights', weightRows(model))
    case 'export':
      return reportRows('export', exportRows(model))
    case 'events':
      return reportRows('events', eventRows(model))
    default:
      return unreachable(what)
  }
}

function metricRows({ asOfMs, parts, counts }: ReportedModel): Values[] {
  return parts.flatMap((part) => (part.report ? [metricValues(asOfMs, part, part.report, counts)] : []))
}

/** The intercept comes last. */
function weightRows({ asOfMs, parts, reader }: ReportedModel): Values[] {
  return parts.flatMap((part) => {
    const head = { ...partValues(asOfMs, part), model_version: part.version }
    const weights = namedWeights(part, reader.names(part.weights), REPORT_WEIGHTS_MAX)
    return [...weights, { name: INTERCEPT, weight: part.intercept }].map(({ name, weight }) => ({
      ...head,
      feature: name,
      weight,
    }))
  })
}

function exportRows({ asOfMs, node, exports, reader }: ReportedModel): Values[] {
  return exports().map((one) => ({
    as_of: asOfMs,
    model_version: one.version,
    model: one.name,
    role: one.role,
    export: exportText(node, one, reader, asOfMs),
  }))
}

function eventRows({ asOfMs, events }: ReportedModel): Values[] {
  return events.map(({ part, kind, outcome, version, toVersion, reason }) => ({
    as_of: asOfMs,
    model_version: version,
    model: part,
    event: kind,
    outcome,
    to_version: toVersion,
    reason,
  }))
}

type Values = Readonly<Record<string, number | string | null>>

function reportRows(what: ModelReportNode['what'], rows: readonly Values[]): ReportRows {
  const columns = reportFields(what).map((field) => {
    const builder = new ColumnBuilder(field, rows.length)
    for (const values of rows) {
      const value = values[field.name] ?? null
      if (value === null) builder.null()
      else if (typeof value === 'string') builder.bytes(encodeText(value))
      else builder.number(value)
    }
    return builder.finish()
  })
  return { columns, rowCount: rows.length }
}

function partValues(asOfMs: number, { name, role, className }: ModelPart): Values {
  return { as_of: asOfMs, model: name, role, class: className }
}

function metricValues(asOfMs: number, part: ModelPart, report: LearnerReport, rows: RowCounts): Values {
  const { updates, outcomes, metrics, intercept, counts } = report
  return {
    ...partValues(asOfMs, part),
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
    score_drifts: counts.scoreDrifts,
    drift_warnings: counts.warnings,
    rollbacks: counts.rollbacks,
    skipped_batches: counts.skippedBatches,
    waiting: rows.waiting,
    unlabelled: rows.unlabelled,
    left_out: rows.leftOut,
    extreme_numbers: rows.extremeNumbers,
    absent_features: rows.absentFeatures,
    shared_texts: rows.sharedTexts,
    constant_numbers: rows.constantNumbers,
  }
}
