import type { VNode } from 'preact'
import type { CalibrationBin } from '../../src/server/api.ts'
import { type CalibrationDot, calibrationDots, calibrationEnd } from './calibration.ts'
import './calibration-chart.css'

const SIZE = 190
const LEFT = 40
const TOP = 8
const WIDTH = LEFT + SIZE + 12
const HEIGHT = TOP + SIZE + 24

/** What was said beside what came: on the line it came true. */
export function CalibrationChart({ bins }: { readonly bins: readonly CalibrationBin[] }): VNode {
  const dots = calibrationDots(bins)
  const end = calibrationEnd(dots)
  const x = (share: number): number => LEFT + (SIZE * share) / end
  const y = (share: number): number => TOP + SIZE * (1 - share / end)
  const off = dots.filter((dot) => dot.off).length
  return (
    <figure class="calibration" data-test="calibration">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="xMinYMid meet"
        role="img"
        aria-label={description(dots)}
      >
        {[0, 0.5, 1].map((part) => (
          <g key={part}>
            <line class="chart-grid" x1={x(0)} x2={x(end)} y1={y(part * end)} y2={y(part * end)} />
            <text class="chart-tick" x={LEFT - 6} y={y(part * end) + 4} text-anchor="end">
              {tick(part * end)}
            </text>
            <text class="chart-tick" x={x(part * end)} y={HEIGHT - 8} text-anchor={part === 1 ? 'end' : 'middle'}>
              {part === 0 ? '' : tick(part * end)}
            </text>
          </g>
        ))}
        <text class="chart-tick" x={LEFT + 6} y={TOP + 14}>
          came ↑
        </text>
        <text class="chart-tick" x={LEFT} y={HEIGHT - 8}>
          said →
        </text>
        <line class="calibration-true" x1={x(0)} y1={y(0)} x2={x(end)} y2={y(end)} />
        {dots.map((dot) => (
          <g key={dot.predicted} class={dot.off ? 'calibration-off' : 'calibration-dot'} data-test="calibration-dot">
            <title>{dotText(dot)}</title>
            <line x1={x(dot.predicted)} x2={x(dot.predicted)} y1={y(dot.least)} y2={y(dot.most)} />
            <circle cx={x(dot.predicted)} cy={y(dot.observed)} r="3.5" />
          </g>
        ))}
      </svg>
      <figcaption>
        on the line it came true
        {off > 0 && <span class="calibration-off-count">, {off === 1 ? '1 dot' : `${off} dots`} off</span>}
      </figcaption>
    </figure>
  )
}

function description(dots: readonly CalibrationDot[]): string {
  return dots.length === 0 ? 'Calibration: no label is known yet' : `Calibration: ${dots.map(dotText).join('; ')}`
}

function dotText({ outcomes, predicted, observed }: CalibrationDot): string {
  return `of ${outcomes} outcomes said ${percent(predicted)}, came ${percent(observed)}`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

function tick(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`
}
