import type { IncomingMessage, ServerResponse } from 'node:http'
import { ready, waitsFor } from '../job/health.ts'
import type { JobStatus } from '../job/status.ts'
import type { PrometheusText } from '../metrics/prometheus.ts'
import { type MetricFamily, MetricsRegistry } from '../metrics/registry.ts'
import { jobMetrics } from './job-metrics.ts'
import type { LiveStreams } from './live-streams.ts'
import { predictionFor } from './model-route.ts'
import type { PageFiles } from './page-files.ts'
import { type Refusal, send, sendJson, sendRefusal, sendText } from './reply.ts'
import type { StatusFeed } from './status-feed.ts'

/** What the routes answer from. */
export interface RouteContext {
  readonly feed: StatusFeed
  readonly streams: LiveStreams
  readonly page: PageFiles
  /** What there is for Prometheus; that of a job here when absent. */
  readonly families?: (() => readonly MetricFamily[]) | undefined
}

/** One request that has passed the access check; `path` is the URL's path, still percent-encoded. */
export interface RoutedRequest {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly path: string
}

/** Answers one request. */
export type Route = (routed: RoutedRequest) => void | Promise<void>

const QUERIES_PREFIX = '/api/queries/'

const ROUTES: ReadonlyMap<string, (routed: RoutedRequest, context: FullContext) => void | Promise<void>> = new Map([
  ['/api/status', ({ response }, { feed }) => sendJson(response, 200, feed.status())],
  ['/api/models', ({ response }, { feed }) => sendJson(response, 200, feed.status().models)],
  ['/api/predict', (routed, { feed }) => sendPrediction(routed, feed.status())],
  ['/api/stream', (routed, { streams }) => openStream(routed, streams)],
  ['/healthz', ({ response }, { feed }) => sendHealth(response, feed.status(), ({ state }) => state !== 'failed')],
  ['/readyz', ({ response }, { feed }) => sendHealth(response, feed.status(), ready)],
  ['/metrics', ({ response }, { metrics }) => sendMetrics(response, metrics)],
])

/** All that has an answer, for whoever wants to visit everything; besides these there are the files that the page is made of. */
export const ROUTE_PATHS: readonly string[] = [...ROUTES.keys(), `${QUERIES_PREFIX}:name`, '/']

/** Answers of the whole server, by path. */
export function createRoutes(context: RouteContext): Route {
  const fullContext = {
    ...context,
    metrics: lazyMetrics(context.families ?? (() => jobMetrics(context.feed.status()))),
  }
  return (routed) => {
    const { path } = routed
    const route = ROUTES.get(path)
    if (route) return route(routed, fullContext)
    if (path.startsWith(QUERIES_PREFIX)) return sendQuery(routed, context.feed.status())
    if (path === '/api' || path.startsWith('/api/')) return refuse(routed, unknownPath(path))
    return sendPage(routed, context.page)
  }
}

interface FullContext extends RouteContext {
  readonly metrics: () => Promise<MetricsText>
}

interface MetricsText {
  readonly text: string
  readonly contentType: string
}

function openStream(routed: RoutedRequest, streams: LiveStreams): void {
  if (routed.request.method === 'HEAD') routed.response.writeHead(200, { 'content-type': 'text/event-stream' }).end()
  else if (streams.full) refuse(routed, TOO_MANY_STREAMS)
  else streams.open(routed.response)
}

function sendQuery(routed: RoutedRequest, status: JobStatus): void {
  const name = decoded(routed.path.slice(QUERIES_PREFIX.length))
  const query = status.queries.find((candidate) => candidate.name === name)
  if (query) {
    sendJson(routed.response, 200, query)
    return
  }
  const names = status.queries.map((candidate) => candidate.name)
  refuse(routed, {
    httpStatus: 404,
    code: 'not-found',
    message: `no query is named "${name.slice(0, 100)}"`,
    hint: names.length === 0 ? 'the pipeline has no queries yet' : `the queries are: ${names.join(', ')}`,
  })
}

function sendPrediction(routed: RoutedRequest, { models }: JobStatus): void {
  const answer = predictionFor(models, routed.request.url ?? '')
  if ('refusal' in answer) refuse(routed, answer.refusal)
  else sendJson(routed.response, 200, answer.prediction)
}

/** One line: the state, and what failed or is waited for. */
function sendHealth(response: ServerResponse, status: JobStatus, fine: (status: JobStatus) => boolean): void {
  const trouble = waitsFor(status)
  const text = trouble === null ? (status.error?.message ?? '') : `waits, ${trouble}`
  sendText(response, fine(status) ? 200 : 503, `${status.state}${text === '' ? '' : `: ${text}`}\n`)
}

async function sendPage(routed: RoutedRequest, page: PageFiles): Promise<void> {
  const found = await page.send(routed.request, routed.response, routed.path)
  if (found === 'unknown') refuse(routed, unknownPath(routed.path))
  if (found === 'not-built') refuse(routed, NOT_BUILT)
}

/** The client library is loaded with the first scrape: most runs have none, and it would delay the first number on the page. */
function lazyMetrics(families: () => readonly MetricFamily[]): () => Promise<MetricsText> {
  const registry = new MetricsRegistry()
  registry.add(families)
  let loading: Promise<PrometheusText> | null = null
  return async () => {
    loading ??= import('../metrics/prometheus.ts').then(({ createPrometheusText }) => createPrometheusText())
    const prometheus = await loading
    return { text: await prometheus.write(registry.collect()), contentType: prometheus.contentType }
  }
}

async function sendMetrics(response: ServerResponse, metrics: () => Promise<MetricsText>): Promise<void> {
  const { text, contentType } = await metrics()
  send(response, 200, contentType, text)
}

function refuse({ response, path }: RoutedRequest, refusal: Refusal): void {
  sendRefusal(response, path, refusal)
}

/** What is not percent-encoded correctly stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function unknownPath(path: string): Refusal {
  return {
    httpStatus: 404,
    code: 'not-found',
    message: `there is nothing at "${path.slice(0, 100)}"`,
    hint: `there is: ${ROUTE_PATHS.join(', ')}`,
  }
}

const TOO_MANY_STREAMS: Refusal = {
  httpStatus: 503,
  code: 'unavailable',
  message: 'too many pages are watching at once',
  hint: 'close some of them and reload, or read /api/status from time to time',
}

const NOT_BUILT: Refusal = {
  httpStatus: 503,
  code: 'missing-dependency',
  message: 'the dashboard has not been built',
  hint: 'run "npm run build:web" in the project\'s folder and reload; /api/status and /metrics work without it',
}
