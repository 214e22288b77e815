import type { JobStatus } from '../job/status.ts'
import { counter, gauge, sample } from '../metrics/family.ts'
import type { MetricFamily, MetricSample } from '../metrics/registry.ts'
import type { LearnerReport } from '../ml/learner.ts'
import type { ModelSummary } from '../ml/model-summary.ts'

type Models = readonly ModelSummary[]
/** Name, help, value of a report; null where it cannot be told. */
type ReportMetric = readonly [string, string, (report: LearnerReport) => number | null]
/** Name, help, value of a model at any time. */
type ModelMetric = readonly [string, string, (model: ModelSummary) => number]

const LABELS = ['model']

const GAUGES: readonly ReportMetric[] = [
  ['millrace_model_log_loss', 'Log loss of the last outcomes.', ({ metrics }) => metrics.logLoss],
  [
    'millrace_model_base_log_loss',
    'Log loss of always saying the share of positives.',
    ({ metrics }) => metrics.baseLogLoss,
  ],
  [
    'millrace_model_skill',
    'How much less the model loses than the base rate; below 0 more.',
    ({ metrics }) => metrics.skill,
  ],
  [
    'millrace_model_skill_margin',
    'How far the skill may be off, 19 times of 20.',
    ({ metrics }) => metrics.skillMargin,
  ],
  ['millrace_model_auc', 'How often a positive is ranked above a negative.', ({ metrics }) => metrics.auc],
  ['millrace_model_calibration_error', 'Distance of what was said from what came.', ({ metrics }) => metrics.ece],
  ['millrace_model_base_rate', 'Share of positives.', ({ metrics }) => metrics.baseRate],
]

const COUNTERS: readonly ReportMetric[] = [
  ['millrace_model_drifts_total', 'Drift alarms.', ({ counts }) => counts.drifts],
  [
    'millrace_model_score_drifts_total',
    'Alarms that what is said of rows has changed.',
    ({ counts }) => counts.scoreDrifts,
  ],
  [
    'millrace_model_rollbacks_total',
    'Times that weights went back to the last good ones.',
    ({ counts }) => counts.rollbacks,
  ],
  ['millrace_model_skipped_batches_total', 'Batches with one class only.', ({ counts }) => counts.skippedBatches],
]

const ROW_COUNTERS: readonly ModelMetric[] = [
  ['millrace_model_updates_total', 'Times that a model has learned something.', ({ version }) => version],
  ['millrace_model_left_out_rows_total', 'Rows that had no room to wait for their labels.', ({ leftOut }) => leftOut],
  [
    'millrace_model_extreme_numbers_total',
    'Features that were infinite or too large.',
    ({ extremeNumbers }) => extremeNumbers,
  ],
  [
    'millrace_model_absent_features_total',
    'Features that were null, or numbers that are none.',
    ({ absentFeatures }) => absentFeatures,
  ],
  [
    'millrace_model_shared_texts_total',
    'Texts that came when their column had no slot left for them.',
    ({ sharedTexts }) => sharedTexts,
  ],
]

/** How the models of a job stand; what is not known before the first label has no sample. (A55) */
export function modelMetrics({ models }: JobStatus): MetricFamily[] {
  return [
    ...ROW_COUNTERS.map(([name, help, value]) => counter(name, help, LABELS, once(models, value))),
    ...COUNTERS.map(([name, help, value]) => counter(name, help, LABELS, known(models, value))),
    ...GAUGES.map(([name, help, value]) => gauge(name, help, LABELS, known(models, value))),
    gauge(
      'millrace_model_champion',
      'Whether it answers (1), or learns beside the one that does (0).',
      LABELS,
      models.map(({ name, role }) => sample([name], role === 'champion' ? 1 : 0)),
    ),
    gauge(
      'millrace_model_waiting_rows',
      'Rows whose labels are not known yet.',
      LABELS,
      once(models, ({ waiting }) => waiting),
    ),
    gauge(
      'millrace_model_constant_numbers',
      'Columns of numbers that have had one value only.',
      LABELS,
      once(models, ({ constantNumbers }) => constantNumbers),
    ),
  ]
}

/** What the classes of a model have in common. */
function once(models: Models, value: ModelMetric[2]): MetricSample[] {
  const first = new Map(models.toReversed().map((one) => [one.model, one]))
  return [...first.values()].reverse().map((one) => sample([one.model], value(one)))
}

function known(models: Models, value: ReportMetric[2]): MetricSample[] {
  return models.flatMap(({ name, report }) => {
    const found = report ? value(report) : null
    return found === null ? [] : [sample([name], found)]
  })
}
