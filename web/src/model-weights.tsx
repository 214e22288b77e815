import type { VNode } from 'preact'
import type { NamedWeight } from '../../src/server/api.ts'
import { formatCount } from './format.ts'
import type { ModelSample } from './model-history.ts'
import './model-weights.css'

interface WeightsProps {
  readonly weights: readonly NamedWeight[]
  readonly intercept: number
  readonly leftOut: number
  /** The oldest that this page has seen. */
  readonly before: ModelSample | undefined
}

/** Weights as bars to either side; a thin mark stands where each was when this page first saw it. */
export function Weights({ weights, intercept, leftOut, before }: WeightsProps): VNode {
  const earlier = weights.map(({ name }) => before?.weights.get(name))
  const largest = Math.max(
    ...[...weights.map(({ weight }) => weight), ...earlier].map((one) => Math.abs(one ?? 0)),
    1e-9,
  )
  const place = (weight: number): number => (49 * weight) / largest
  return (
    <div>
      <table class="weights">
        <caption>
          weights{leftOut > 0 && ` (${formatCount(leftOut)} smaller ones are left out)`}
          {before && `, mark: at version ${formatCount(before.version)}`}
        </caption>
        <tbody>
          {weights.map(({ name, weight }, index) => {
            const was = earlier[index]
            return (
              <tr key={name} data-test="weight">
                <th scope="row" class="weight-name" title={name}>
                  {name}
                </th>
                <td class="number">{signed(weight, 4)}</td>
                <td class="weight-bar" title={was === undefined ? undefined : `was ${signed(was, 4)}`}>
                  <svg viewBox="-50 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                    <line class="weight-zero" x1="0" x2="0" y1="0" y2="10" />
                    <rect
                      class={weight < 0 ? 'weight-minus' : 'weight-plus'}
                      x={Math.min(0, place(weight))}
                      y="1"
                      width={Math.abs(place(weight))}
                      height="8"
                    />
                    {was !== undefined && <line class="weight-was" x1={place(was)} x2={place(was)} y1="0" y2="10" />}
                  </svg>
                </td>
              </tr>
            )
          })}
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

/** With a sign, so that what lies on either side of none reads alike. */
export function signed(value: number, digits: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`
}
