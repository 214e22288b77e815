import { assert } from '../base/assert.ts'

/** A metric with its values at one moment. */
export interface MetricFamily {
  readonly name: string
  readonly help: string
  /** A counter only grows while the process lives; its name ends in `_total`. A histogram counts in cumulative buckets by `le`. */
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labelNames: readonly string[]
  readonly samples: readonly MetricSample[]
}

/** One value; the labels are in the order of the family's `labelNames`. */
export interface MetricSample {
  /** Of a histogram: `_bucket` has all labels, the others have all but the last one, `le`. */
  readonly suffix?: '_bucket' | '_sum' | '_count'
  readonly labels: readonly string[]
  readonly value: number
}

/** Gives families with their values as they are now. */
export type MetricSource = () => readonly MetricFamily[]

/** Series that one family may have. Labels come from the plan and the source's partitions, so only very wide jobs get there. */
export const SERIES_MAX = 1_000

const METRIC_NAME = /^[a-z][a-z0-9_]{0,99}$/
const DROPPED_SERIES = 'millrace_metrics_dropped_series'

/**
 * Copies values at the moment of a scrape. The program counts in its own plain fields, where it needs the numbers anyway;
 * nothing is written twice, and a process that nobody scrapes pays nothing.
 *
 * Of a family with more than `SERIES_MAX` series the first ones are kept and the rest counted in
 * `millrace_metrics_dropped_series`. Values that are not finite are left out: Prometheus shows a gap.
 */
export class MetricsRegistry {
  readonly #sources: MetricSource[] = []

  add(source: MetricSource): void {
    this.#sources.push(source)
  }

  /** All families of all sources, in order of addition. */
  collect(): MetricFamily[] {
    const names = new Set<string>([DROPPED_SERIES])
    const dropped: MetricSample[] = []
    const families: MetricFamily[] = []
    for (const family of this.#sources.flatMap((source) => source())) {
      check(family, names)
      const finite = family.samples.filter(({ value }) => Number.isFinite(value))
      if (finite.length > SERIES_MAX) dropped.push({ labels: [family.name], value: finite.length - SERIES_MAX })
      families.push({ ...family, samples: finite.slice(0, SERIES_MAX) })
    }
    if (dropped.length > 0) families.push(droppedSeries(dropped))
    return families
  }
}

function check(family: MetricFamily, names: Set<string>): void {
  const { name, type, labelNames, samples } = family
  assert(METRIC_NAME.test(name), `"${name}" is not a metric name`)
  assert(!names.has(name), `the metric ${name} is given twice`)
  assert((type === 'counter') === name.endsWith('_total'), `${name}: a counter, and nothing else, ends in _total`)
  for (const { labels, suffix } of samples) {
    assert(
      (suffix !== undefined) === (type === 'histogram'),
      `${name}: samples of a histogram, and no others, have a suffix`,
    )
    const expected = suffix === '_sum' || suffix === '_count' ? labelNames.length - 1 : labelNames.length
    assert(labels.length === expected, `${name} has ${expected} labels, a sample has ${labels.length}`)
  }
  names.add(name)
}

function droppedSeries(samples: readonly MetricSample[]): MetricFamily {
  return {
    name: DROPPED_SERIES,
    help: `Series left out because a metric had more than ${SERIES_MAX}.`,
    type: 'gauge',
    labelNames: ['metric'],
    samples,
  }
}
