import { seriesNames } from '../metrics/family.ts'
import type { MetricFamily } from '../metrics/registry.ts'
import type { AlertSample, AlertValue } from './alert-rule.ts'

type MetricValue = Extract<AlertValue, { kind: 'metric' }>

/**
 * The numbers of a rule about a metric. Remembers as many earlier ones as the rule looks back; until it has looked so long, growth has no
 * number.
 */
export class MetricSamples {
  readonly #value: MetricValue
  #history: { readonly atMs: number; readonly totals: ReadonlyMap<string, number>; readonly whole: number }[] = []

  constructor(value: MetricValue) {
    this.#value = value
  }

  /** What the families say at this moment. */
  read(nowMs: number, families: readonly MetricFamily[]): AlertSample[] {
    const { metric, labels, overMs, shareOf } = this.#value
    const totals = seriesOf(families, metric, labels)
    const whole = [...seriesOf(families, shareOf ?? '', {}).values()].reduce((sum, value) => sum + value, 0)
    if (overMs === undefined) {
      if (shareOf !== undefined && whole <= 0) return []
      return [...totals].map(([series, value]) => ({ series, value: shareOf === undefined ? value : value / whole }))
    }
    this.#history.push({ atMs: nowMs, totals, whole })
    const from = this.#history.findLastIndex(({ atMs }) => atMs <= nowMs - overMs)
    const before = this.#history[from]
    if (!before) return []
    this.#history = this.#history.slice(from)
    const grown = whole - before.whole
    if (shareOf !== undefined && grown <= 0) return []
    return [...totals].map(([series, value]) => {
      const growth = value - (before.totals.get(series) ?? 0)
      return { series, value: shareOf === undefined ? growth : growth / grown }
    })
  }
}

function seriesOf(
  families: readonly MetricFamily[],
  metric: string,
  labels: Readonly<Record<string, string>>,
): Map<string, number> {
  const family = families.find((one) => seriesNames(one).includes(metric))
  const values = new Map<string, number>()
  for (const sample of family?.samples ?? []) {
    if (`${family?.name}${sample.suffix ?? ''}` !== metric) continue
    const named = Object.fromEntries(sample.labels.map((label, index) => [family?.labelNames[index], label]))
    if (Object.entries(labels).some(([name, value]) => named[name] !== value)) continue
    values.set(
      Object.entries(named)
        .map(([name, value]) => `${name}=${value}`)
        .join(' '),
      sample.value,
    )
  }
  return values
}
