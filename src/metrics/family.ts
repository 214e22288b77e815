import type { MetricFamily, MetricSample } from './registry.ts'

/** One value of a family, with the values of its labels. */
export function sample(labels: readonly string[], value: number): MetricSample {
  return { labels, value }
}

/** What its samples are called in the text that Prometheus scrapes. */
export function seriesNames({ name, type }: Pick<MetricFamily, 'name' | 'type'>): string[] {
  return type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]
}

/** A family that only grows. */
export function counter(
  name: string,
  help: string,
  labelNames: string[],
  samples: readonly MetricSample[],
): MetricFamily {
  return { name, help, type: 'counter', labelNames, samples }
}

/** Observations by upper bounds, rising and cumulative; all of them, bounded or not, are `count`. */
export interface HistogramValues {
  readonly buckets: readonly (readonly [le: number, count: number])[]
  readonly sum: number
  readonly count: number
}

/** A family of one distribution; null while nothing was observed. */
export function histogram(name: string, help: string, values: HistogramValues | null): MetricFamily {
  const samples: MetricSample[] = values
    ? [
        ...values.buckets.map(([le, count]) => bucket(String(le), count)),
        bucket('+Inf', values.count),
        { suffix: '_sum', labels: [], value: values.sum },
        { suffix: '_count', labels: [], value: values.count },
      ]
    : []
  return { name, help, type: 'histogram', labelNames: ['le'], samples }
}

function bucket(le: string, count: number): MetricSample {
  return { suffix: '_bucket', labels: [le], value: count }
}

/** A family that goes up and down. */
export function gauge(
  name: string,
  help: string,
  labelNames: string[],
  samples: readonly MetricSample[],
): MetricFamily {
  return { name, help, type: 'gauge', labelNames, samples }
}
