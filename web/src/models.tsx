import type { VNode } from 'preact'
import type { JobStatus, ModelSummary } from '../../src/server/api.ts'
import { CalibrationChart } from './calibration-chart.tsx'
import { formatCount } from './format.ts'
import { ModelCharts } from './model-charts.tsx'
import { modelHistory } from './model-history.ts'
import { signed, Weights } from './model-weights.tsx'
import './models.css'

/** The models of the pipeline: how much they know, and what they have learned. Absent without one. */
export function Models({ job }: { readonly job: JobStatus }): VNode | null {
  if (job.models.length === 0) return null
  return (
    <div class="models">
      {job.models.map((model) => (
        <Model key={model.name} model={model} />
      ))}
    </div>
  )
}

function Model({ model }: { readonly model: ModelSummary }): VNode {
  const { name, role, report, version, events } = model
  const samples = modelHistory.value.get(name) ?? []
  const last = events.at(-1)
  return (
    <section class="model" aria-labelledby={`model-${name}`} data-test="model">
      <h2 id={`model-${name}`}>
        Model {name}{' '}
        <span class="muted">
          version {formatCount(version)}
          {role === 'challenger' && ', a challenger'}
        </span>
        <Verdict metrics={report?.metrics} />
      </h2>
      <div class="model-parts">
        <Measures model={model} />
        <ModelCharts samples={samples} events={events} />
        <CalibrationChart bins={report?.metrics.calibration ?? []} />
        <Weights
          weights={model.weights}
          intercept={model.intercept}
          leftOut={model.weightsLeftOut}
          before={samples.at(0)}
        />
      </div>
      <p class="model-event cut muted" data-test="model-event">
        {last ? `Last: ${last.kind} after ${formatCount(last.outcome)} outcomes, ${last.reason}` : 'No drift so far'}
      </p>
    </section>
  )
}

/** What can be said for sure of a model beside the base rate. */
function Verdict({ metrics }: { readonly metrics: NonNullable<ModelSummary['report']>['metrics'] | undefined }): VNode {
  if (!metrics) return <span class="badge">not judged yet</span>
  const { skill, skillMargin } = metrics
  if (skillMargin === null || Math.abs(skill) <= skillMargin)
    return <span class="badge badge-unsure">no better than the base rate, as far as one can tell</span>
  if (skill < 0) return <span class="badge badge-bad">worse than the base rate</span>
  return <span class="badge badge-good">better than the base rate</span>
}

function Measures({ model }: { readonly model: ModelSummary }): VNode {
  const { report } = model
  return (
    <div>
      <table class="measures">
        <caption>
          {report
            ? `last ${formatCount(report.metrics.outcomes)} outcomes, predicted before learned`
            : 'no label is known yet: rows wait until their time is over'}
        </caption>
        <tbody>
          {measures(model).map(([name, value, beside]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="number">{value}</td>
              <td class="muted">{beside}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Name, value, and what to hold it against. */
function measures(model: ModelSummary): (readonly [string, string, string])[] {
  const { report, waiting, unlabelled, absentFeatures, extremeNumbers, sharedTexts } = model
  const metrics = report?.metrics
  const fixed = (value: number | null | undefined, digits: number): string => value?.toFixed(digits) ?? '–'
  const { skippedBatches, rollbacks, drifts } = report?.counts ?? { skippedBatches: 0, rollbacks: 0, drifts: 0 }
  return [
    ['log loss', fixed(metrics?.logLoss, 4), `base rate ${fixed(metrics?.baseLogLoss, 4)}`],
    [
      'skill',
      metrics ? signed(metrics.skill, 3) : '–',
      metrics ? `± ${fixed(metrics.skillMargin, 3)}, base 0` : 'base 0',
    ],
    ['AUC', fixed(metrics?.auc, 3), 'chance 0.5'],
    ['calibration error', fixed(metrics?.ece, 3), `Brier ${fixed(metrics?.brier, 4)}`],
    ['accuracy', fixed(metrics?.accuracy, 3), `majority ${fixed(metrics?.majorityAccuracy, 3)}`],
    [
      'top tenth',
      metrics ? percent(metrics.precisionAtTop) : '–',
      `base rate ${metrics ? percent(metrics.baseRate) : '–'}`,
    ],
    ['drift alarms', formatCount(drifts), `${formatCount(rollbacks)} taken back`],
    ['waiting', formatCount(waiting), unlabelled > 0 ? `${formatCount(unlabelled)} never known` : 'for labels'],
    skippedBatches > 0
      ? ['skipped batches', formatCount(skippedBatches), 'of one class only']
      : [
          'absent features',
          formatCount(absentFeatures),
          `${formatCount(extremeNumbers)} cut, ${formatCount(sharedTexts)} shared`,
        ],
  ]
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
