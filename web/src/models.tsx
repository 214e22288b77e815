import type { VNode } from 'preact'
import type { JobStatus, ModelSummary, NamedWeight } from '../../src/server/api.ts'
import { formatCount } from './format.ts'
import { type LossSample, lossHistory } from './model-history.ts'
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
  const { name, role, report, version } = model
  return (
    <section class="model" aria-labelledby={`model-${name}`} data-test="model">
      <h2 id={`model-${name}`}>
        Model {name}{' '}
        <span class="muted">
          version {formatCount(version)}
          {role === 'challenger' && ', a challenger'}
        </span>
        <Verdict skill={report?.metrics.skill ?? null} />
      </h2>
      <div class="model-parts">
        <Measures model={model} />
        <LossChart samples={lossHistory.value.get(name) ?? []} />
        <Weights weights={model.weights} intercept={model.intercept} leftOut={model.weightsLeftOut} />
      </div>
    </section>
  )
}

/** A model that knows less than the base rate says so. */
function Verdict({ skill }: { readonly skill: number | null }): VNode {
  if (skill === null) return <span class="badge">not judged yet</span>
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
            ? `of the last ${formatCount(report.metrics.outcomes)} outcomes, each predicted before it was learned`
            : 'no label is known yet: a row is learned from when its time is over'}
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
function measures({ report, waiting, unlabelled }: ModelSummary): (readonly [string, string, string])[] {
  const metrics = report?.metrics
  const fixed = (value: number | null | undefined, digits: number): string => value?.toFixed(digits) ?? '–'
  return [
    ['log loss', fixed(metrics?.logLoss, 4), `base rate ${fixed(metrics?.baseLogLoss, 4)}`],
    ['skill', metrics ? signed(metrics.skill, 3) : '–', 'base rate 0, perfect 1'],
    ['AUC', fixed(metrics?.auc, 3), 'chance 0.5'],
    ['calibration error', fixed(metrics?.ece, 3), `Brier ${fixed(metrics?.brier, 4)}`],
    ['accuracy', fixed(metrics?.accuracy, 3), `majority ${fixed(metrics?.majorityAccuracy, 3)}`],
    [
      'top tenth',
      metrics ? percent(metrics.precisionAtTop) : '–',
      `base rate ${metrics ? percent(metrics.baseRate) : '–'}`,
    ],
    [
      'drift alarms',
      formatCount(report?.counts.drifts ?? 0),
      `${formatCount(report?.counts.rollbacks ?? 0)} rollbacks`,
    ],
    ['waiting', formatCount(waiting), unlabelled > 0 ? `${formatCount(unlabelled)} never known` : 'for labels'],
  ]
}

const CHART_WIDTH = 320
const CHART_HEIGHT = 130

/** Log loss of the model and of the base rate, as far as this page has seen them. */
function LossChart({ samples }: { readonly samples: readonly LossSample[] }): VNode {
  const highest = Math.max(...samples.flatMap(({ loss, baseLoss }) => [loss, baseLoss]), 0.01) * 1.1
  const line = (value: (sample: LossSample) => number): string =>
    samples
      .map((sample, index) => {
        const x = samples.length > 1 ? (index / (samples.length - 1)) * CHART_WIDTH : CHART_WIDTH
        return `${x.toFixed(1)},${(CHART_HEIGHT * (1 - value(sample) / highest)).toFixed(1)}`
      })
      .join(' ')
  const last = samples.at(-1)
  const text = last ? `log loss ${last.loss.toFixed(4)}, base rate ${last.baseLoss.toFixed(4)}` : 'nothing seen yet'
  return (
    <figure class="loss-chart">
      <svg viewBox={`0 0 ${CHART_WIDTH} ${CHART_HEIGHT}`} role="img" aria-label={`Log loss: ${text}`}>
        <polyline class="loss-base" points={line(({ baseLoss }) => baseLoss)} />
        <polyline class="loss-model" points={line(({ loss }) => loss)} />
      </svg>
      <figcaption>
        log loss: <span class="loss-model-name">model {last?.loss.toFixed(3) ?? '–'}</span>,{' '}
        <span class="loss-base-name">base rate {last?.baseLoss.toFixed(3) ?? '–'}</span>
      </figcaption>
    </figure>
  )
}

interface WeightsProps {
  readonly weights: readonly NamedWeight[]
  readonly intercept: number
  readonly leftOut: number
}

function Weights({ weights, intercept, leftOut }: WeightsProps): VNode {
  const largest = Math.max(...weights.map(({ weight }) => Math.abs(weight)), 1e-9)
  return (
    <div>
      <table class="weights">
        <caption>weights{leftOut > 0 && ` (${formatCount(leftOut)} smaller ones are left out)`}</caption>
        <tbody>
          {weights.map(({ name, weight }) => (
            <tr key={name}>
              <th scope="row" class="weight-name" title={name}>
                {name}
              </th>
              <td class="number">{signed(weight, 4)}</td>
              <td class="weight-bar">
                <svg viewBox="-50 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                  <rect
                    class={weight < 0 ? 'weight-minus' : 'weight-plus'}
                    x={weight < 0 ? (50 * weight) / largest : 0}
                    width={(50 * Math.abs(weight)) / largest}
                    height="8"
                  />
                </svg>
              </td>
            </tr>
          ))}
          <tr>
            <th scope="row">(intercept)</th>
            <td class="number">{signed(intercept, 4)}</td>
            <td />
          </tr>
        </tbody>
      </table>
    </div>
  )
}

function signed(value: number, digits: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
