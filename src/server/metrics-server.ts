import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createPrometheusText } from '../metrics/prometheus.ts'
import type { MetricFamily } from '../metrics/registry.ts'
import { Access } from './access.ts'
import { checkExposure, listen, urlOf } from './listen.ts'
import { SECURITY_HEADERS, send, sendRefusal } from './reply.ts'

/** Where the metrics of a process without a page are, and who may see them. */
export interface MetricsServerOptions {
  readonly host: string
  /** 0 takes any free one. */
  readonly port: number
  readonly token?: string
  /** Asked at each scrape. */
  readonly families: () => readonly MetricFamily[]
}

const PATH = '/metrics'

/** Serves `/metrics` and nothing else, under the same rules as the page. */
export async function startMetricsServer(options: MetricsServerOptions): Promise<{ url: string; close(): void }> {
  const { host, port, token, families } = options
  checkExposure(host, token)
  const access = new Access(host, token)
  const prometheus = createPrometheusText()
  const server = createServer(async (request, response) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
    const verdict = access.judge(request, new URL(`http://target${PATH}`))
    if (verdict.kind === 'refused') return sendRefusal(response, PATH, verdict.refusal)
    if (request.url !== PATH) return sendRefusal(response, PATH, NOTHING_ELSE)
    send(response, 200, prometheus.contentType, await prometheus.write(families()))
  })
  await listen(server, host, port)
  server.unref() // Nobody waits for another scrape.
  return {
    url: `${urlOf(host, (server.address() as AddressInfo).port)}${PATH}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

const NOTHING_ELSE = {
  httpStatus: 404,
  code: 'not-found',
  message: 'there is nothing here',
  hint: `what there is to be seen is at ${PATH}`,
}
