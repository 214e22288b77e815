import type { MetricFamily, MetricSample } from './registry.ts'

/** One value of a family, with the values of its labels. */
export function sample(labels: readonly string[], value: number): MetricSample {
  return { labels, value }
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

/** A family that goes up and down. */
export function gauge(
  name: string,
  help: string,
  labelNames: string[],
  samples: readonly MetricSample[],
): MetricFamily {
  return { name, help, type: 'gauge', labelNames, samples }
}
