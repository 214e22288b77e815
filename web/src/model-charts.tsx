import type { VNode } from 'preact'
import type { ModelEvent } from '../../src/server/api.ts'
import { type HistoryMark, type ModelSample, marksOf } from './model-history.ts'
import './model-charts.css'

const LEFT = 34
const WIDTH = 226
const TOP = 13
const HEIGHT = 70

interface ChartsProps {
  readonly samples: readonly ModelSample[]
  readonly events: readonly ModelEvent[]
}

/** Log loss beside that of the base rate, and AUC beside chance, as far as this page has seen them, with what has happened meanwhile. */
export function ModelCharts({ samples, events }: ChartsProps): VNode {
  const marks = marksOf(samples, events)
  const last = samples.at(-1)
  return (
    <div class="model-charts">
      <Chart
        name="log loss"
        other="base rate"
        marks={marks}
        versions={samples.map(({ version }) => version)}
        values={samples.map(({ loss }) => loss)}
        others={samples.map(({ baseLoss }) => baseLoss)}
      />
      <Chart
        name="AUC"
        other="chance"
        marks={marks}
        versions={samples.map(({ version }) => version)}
        values={samples.map(({ auc }) => auc)}
        others={samples.map(() => 0.5)}
      />
      <p class="chart-key">
        {last ? KEY.map(([kind, sign, text]) => keyOf(kind, sign, text, marks)) : 'nothing seen yet'}
      </p>
    </div>
  )
}

/** Events that are marked, by kind: sign, and what it says. */
const KEY: readonly (readonly [ModelEvent['kind'], string, string])[] = [
  ['drift', '▼', 'drift'],
  ['rollback', '◀', 'taken back'],
  ['promotion', '▲', 'promoted'],
]

function keyOf(kind: ModelEvent['kind'], sign: string, text: string, marks: readonly HistoryMark[]): VNode {
  const count = marks.filter(({ event }) => event.kind === kind).length
  return (
    <span key={kind} class={`mark-${kind}`}>
      {sign} {text} {count}
    </span>
  )
}

interface ChartProps {
  readonly name: string
  readonly other: string
  readonly marks: readonly HistoryMark[]
  readonly versions: readonly number[]
  readonly values: readonly (number | null)[]
  readonly others: readonly number[]
}

/** Two lines over the versions of a model. */
function Chart({ name, other, marks, versions, values, others }: ChartProps): VNode {
  const known = [...values, ...others].flatMap((value) => (value === null ? [] : [value]))
  const [low, high] = rangeOf(known)
  const [first = 0, newest = 0] = [versions.at(0), versions.at(-1)]
  const x = (version: number): number => LEFT + (newest > first ? (version - first) / (newest - first) : 1) * WIDTH
  const y = (value: number): number => TOP + HEIGHT * (1 - (value - low) / (high - low))
  const points = (line: readonly (number | null)[]): string =>
    line
      .flatMap((value, index) =>
        value === null ? [] : [`${x(versions[index] ?? 0).toFixed(1)},${y(value).toFixed(1)}`],
      )
      .join(' ')
  const [value, beside] = [values.at(-1), others.at(-1)]
  const text = `${name} ${value?.toFixed(3) ?? '–'}, ${other} ${beside?.toFixed(3) ?? '–'}`
  return (
    <figure class="model-chart" data-test="model-chart">
      <figcaption>
        <span class="line-model-name">
          {name} {value?.toFixed(3) ?? '–'}
        </span>{' '}
        <span class="line-other-name">
          {other} {beside?.toFixed(3) ?? '–'}
        </span>
      </figcaption>
      <svg viewBox={`0 0 ${LEFT + WIDTH + 6} ${TOP + HEIGHT + 6}`} role="img" aria-label={text}>
        {[low, high].map((edge) => (
          <g key={edge}>
            <line class="chart-grid" x1={LEFT} x2={LEFT + WIDTH} y1={y(edge)} y2={y(edge)} />
            <text class="chart-tick" x={LEFT - 6} y={y(edge) + 4} text-anchor="end">
              {edge.toFixed(2)}
            </text>
          </g>
        ))}
        {marks.map(({ event, place }) => (
          <Mark key={`${event.kind} ${event.predicted} ${event.outcome}`} event={event} x={LEFT + place * WIDTH} />
        ))}
        <polyline class="line-other" points={points(others)} />
        <polyline class="line-model" points={points(values)} />
      </svg>
    </figure>
  )
}

/** A line at the version where something happened, with the sign of its kind on top. */
function Mark({ event, x }: { readonly event: ModelEvent; readonly x: number }): VNode | null {
  const sign = SIGNS[event.kind]
  if (!sign) return null
  return (
    <g class={`mark-${event.kind}`} data-test={`mark-${event.kind}`}>
      <title>
        {event.kind} at version {event.version}: {event.reason}
      </title>
      <line x1={x} x2={x} y1={TOP} y2={TOP + HEIGHT} />
      <path d={sign} transform={`translate(${x} ${TOP - 5})`} />
    </g>
  )
}

/** Paths around (0, 0), by kind. */
const SIGNS: Partial<Record<ModelEvent['kind'], string>> = {
  drift: 'M-4 -4H4L0 4Z',
  rollback: 'M4 -4V4L-4 0Z',
  promotion: 'M-4 4H4L0 -4Z',
}

/** A little more than the values take, never empty. */
function rangeOf(values: readonly number[]): readonly [number, number] {
  if (values.length === 0) return [0, 1]
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const room = Math.max(0.15 * (most - least), 0.01)
  return [Math.max(0, least - room), most + room]
}
