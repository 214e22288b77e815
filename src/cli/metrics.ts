import type { MetricFamily } from '../metrics/registry.ts'
import { say } from './output.ts'

/** Where a process without a page shows its metrics. */
export interface MetricsOptions {
  readonly host: string
  readonly metricsPort?: number
  readonly tokenFile?: string
}

/** Serves `/metrics` until it is closed, and says where. */
export async function serveMetrics(
  options: MetricsOptions,
  families: () => readonly MetricFamily[],
): Promise<{ close(): void }> {
  const { startMetricsServer } = await import('../server/metrics-server.ts')
  const { tokenOf } = await import('./page.ts')
  const { host, metricsPort = 0 } = options
  const token = await tokenOf({ ...options, port: metricsPort })
  const server = await startMetricsServer({
    host,
    port: metricsPort,
    families,
    ...(token !== undefined && { token }),
  })
  say(`metrics  ${server.url}`)
  return server
}
