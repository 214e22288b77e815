import { sigmoid } from './logistic-regression.ts'
import type { Metrics } from './metrics/prequential.ts'
import { type Verdict, verdictOf } from './metrics/verdict.ts'
import type { ModelSummary } from './model-summary.ts'

const RULE = '='.repeat(60)
/** Weights that a block shows; the largest ones. */
const WEIGHTS_MAX = 20
const BAR_MAX = 40

/** A model's state as a block of text for the terminal, empty before its first label. A bar has a mark for each tenth of a weight. (A23) */
export function reportText(batch: number, { name, model, role, report, weights }: ModelSummary): string {
  if (!report) return ''
  const { metrics, intercept, updates, outcomes, batch: learned, counts } = report
  const { logLoss, baseLogLoss, auc, ece, accuracy, majorityAccuracy } = metrics
  const shown = [...weights]
    .map((one, index) => ({ ...one, index }))
    .sort((left, right) => Math.abs(right.weight) - Math.abs(left.weight))
    .slice(0, WEIGHTS_MAX)
    .sort((left, right) => left.index - right.index)
  const lines = [
    RULE,
    `Batch ${batch}  |  events: ${grouped(learned?.rows ?? outcomes)}  |  model update #${grouped(updates)}`,
    RULE,
    ...(name === model ? [] : [`Model ${name}${role === 'challenger' ? ', a challenger' : ''}`]),
    ...(learned ? [`Accuracy on this batch: ${beside(learned.accuracy, learned.majorityAccuracy)}`] : []),
    `Of the last ${grouped(metrics.outcomes)} outcomes, each predicted before it was learned:`,
    `  accuracy ${beside(accuracy, majorityAccuracy)}`,
    `  log loss ${logLoss.toFixed(4)} (base rate: ${baseLogLoss.toFixed(4)}), AUC ${auc?.toFixed(3) ?? '-'}, calibration error ${ece.toFixed(3)}`,
    `  skill ${skillText(metrics)}`,
    ...(counts.skippedBatches > 0 ? [`Batches with one class only, skipped: ${grouped(counts.skippedBatches)}`] : []),
    ...(counts.drifts > 0 ? [`Drift alarms: ${counts.drifts}, rollbacks: ${counts.rollbacks}`] : []),
    'Current weights (carried across batches):',
    ...shown.map(({ name, weight }) => `  ${name.padEnd(25)} ${signed(weight, 4)}  ${bar(weight)}`.trimEnd()),
    `  ${'__intercept__'.padEnd(25)} ${signed(intercept, 4)}  (baseline p=${sigmoid(intercept).toFixed(3)})`,
  ]
  return `${lines.join('\n')}\n`
}

function beside(accuracy: number, majority: number): string {
  return `${accuracy.toFixed(3)} (always the commoner answer: ${majority.toFixed(3)})`
}

function skillText(metrics: Metrics): string {
  const { skill, skillMargin } = metrics
  const sureness = skillMargin === null ? 'too few outcomes to tell' : `±${skillMargin.toFixed(3)}`
  return `${signed(skill, 3)} (${sureness}): ${VERDICTS[verdictOf(metrics)]}`
}

const VERDICTS: Readonly<Record<Verdict, string>> = {
  better: 'it knows more than the base rate',
  'no better': 'NO SKILL, it knows no more than the base rate',
  worse: 'WARNING, it knows less than the base rate',
}

function bar(weight: number): string {
  return '#'.repeat(Math.min(BAR_MAX, Math.floor(Math.abs(weight) * 10)))
}

function signed(value: number, digits: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(digits)}`
}

/** Whole numbers with a comma between thousands. */
function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}
