import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from '@prometheus-io/client'
import type { MetricFamily } from './registry.ts'

/** Writes the text that Prometheus scrapes. */
export interface PrometheusText {
  readonly contentType: string
  /** The given families, then those of the process: CPU, memory, event loop, garbage collection. */
  write(families: readonly MetricFamily[]): Promise<string>
}

/** Starts to measure the process. Once is enough; there is nothing to close. */
export function createPrometheusText(): PrometheusText {
  const processMetrics = new Registry()
  collectDefaultMetrics({ register: processMetrics })
  return {
    contentType: processMetrics.contentType,
    async write(families) {
      return (await writeFamilies(families)) + (await processMetrics.metrics())
    },
  }
}

/** The text of the given families alone. Values are copies of counts kept elsewhere, so each scrape starts with empty metrics. */
export async function writeFamilies(families: readonly MetricFamily[]): Promise<string> {
  const registry = new Registry()
  for (const family of families) fill(registry, family)
  return registry.metrics()
}

function fill(registry: Registry, family: MetricFamily): void {
  const { name, help, type, labelNames, samples } = family
  if (type === 'histogram') {
    registry.registerMetric(countedHistogram(family))
    return
  }
  const options = { name, help, labelNames: [...labelNames], registers: [registry] }
  if (type === 'counter') {
    const counter = new Counter<string>(options)
    for (const { labels, value } of samples) counter.labels(...labels).inc(value)
  } else {
    const gauge = new Gauge<string>(options)
    for (const { labels, value } of samples) gauge.labels(...labels).set(value)
  }
}

/** The library's own histogram only takes one observation after the other; this has all that is asked of a metric when its text is written. */
function countedHistogram({ name, help, type, labelNames, samples }: MetricFamily): Metric {
  const values = samples.map(({ suffix, labels, value }) => ({
    metricName: `${name}${suffix}`,
    labels: Object.fromEntries(labels.map((label, index) => [labelNames[index], label])),
    value,
  }))
  return { name, get: async () => ({ name, help, type, values, aggregator: 'sum' }) } as unknown as Metric
}
