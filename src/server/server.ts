import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { MetricFamily } from '../metrics/registry.ts'
import { Access } from './access.ts'
import { checkExposure, listen, urlOf } from './listen.ts'
import { LiveStreams } from './live-streams.ts'
import { PageFiles } from './page-files.ts'
import { type AskStore, answerQuery, QUERY_PATH } from './query-route.ts'
import { SECURITY_HEADERS, send, sendRefusal } from './reply.ts'
import { createRoutes, type Route } from './routes.ts'
import type { StatusFeed } from './status-feed.ts'

/** How the server of dashboard, API and metrics is run. */
export interface ServerOptions {
  readonly feed: StatusFeed
  /** Folder of the built page; it may be missing. */
  readonly webRoot: string
  /** 127.0.0.1 when absent; anything that other machines reach needs a token. */
  readonly host?: string
  /** 8080 when absent; 0 takes any free one. */
  readonly port?: number
  /** Nothing is answered without it when it is set. */
  readonly token?: string
  /** Answers questions about stored results; without it there is no such route. */
  readonly ask?: AskStore
  /** Asked at each scrape of /metrics; those of a job here when absent. */
  readonly families?: () => readonly MetricFamily[]
}

/** A server that listens. */
export interface RunningServer {
  readonly url: string
  readonly port: number
  /** Sends watchers the last state, then ends every connection. */
  close(): Promise<void>
}

const HEADER_BYTES_MAX = 16 * 1024
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
const TIMEOUT_CHECK_MS = 5_000
const CONNECTIONS_MAX = 256

/**
 * Serves the page, the API and the metrics of a job. Throws `invalid-option` when the address cannot be had or would be open
 * to the network without a token, and `unavailable` when the port is taken.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { feed, webRoot, host = '127.0.0.1', port = 8080, token } = options
  checkExposure(host, token)
  const access = new Access(host, token)
  const streams = new LiveStreams(feed)
  const route = createRoutes({ feed, streams, page: new PageFiles(webRoot), families: options.families })
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    },
    (request, response) => void answer(request, response, { access, route, ask: options.ask }),
  )
  server.maxConnections = CONNECTIONS_MAX
  try {
    await listen(server, host, port)
  } catch (error) {
    await streams.close()
    throw error
  }
  const bound = (server.address() as AddressInfo).port
  access.bindTo(bound)
  return {
    url: urlOf(host, bound),
    port: bound,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await streams.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { access, route, ask }: { access: Access; route: Route; ask: AskStore | undefined },
): Promise<void> {
  response.on('error', () => response.destroy())
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value)
  const url = parsedUrl(request.url ?? '/')
  const path = url.pathname
  const verdict = access.judge(request, url)
  if (verdict.kind === 'refused') return sendRefusal(response, path, verdict.refusal)
  const asked = ask !== undefined && path === QUERY_PATH && request.method === 'POST'
  if (!asked && request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('connection', 'close') // Whatever body comes with it is not waited for.
    response.setHeader('allow', 'GET, HEAD')
    return sendRefusal(response, path, READ_ONLY)
  }
  if (verdict.kind === 'login') return sendLogin(response, verdict.cookie)
  try {
    if (asked) await answerQuery(request, response, ask)
    else await route({ request, response, path })
  } catch {
    if (response.headersSent) response.destroy()
    else sendRefusal(response, path, FAILED)
  }
}

const READ_ONLY = {
  httpStatus: 405,
  code: 'unsupported',
  message: 'this server only answers, it changes nothing',
  hint: 'use GET',
}

const FAILED = {
  httpStatus: 500,
  code: 'internal',
  message: 'the answer could not be made',
  hint: 'try again; if it stays so, the log of Millrace says more',
}

/**
 * Takes the token out of the address bar. Not a redirect: after a click on a link in another site's page, a redirected request
 * would still count as that site's, and the browser would keep the cookie (SameSite=Strict) to itself.
 */
function sendLogin(response: ServerResponse, cookie: string): void {
  response.setHeader('set-cookie', cookie)
  response.setHeader('refresh', '0; url=/')
  send(
    response,
    200,
    'text/html; charset=utf-8',
    '<!doctype html><title>Millrace</title><a href="/">Go to the dashboard</a>\n',
  )
}

/** The target of a request. What is no path at all (`*`, a broken URL) leads nowhere. */
function parsedUrl(target: string): URL {
  const path = target.startsWith('/') ? `http://target${target.replace(/^\/+/, '/')}` : 'http://target/nothing-here'
  return URL.canParse(path) ? new URL(path) : new URL('http://target/nothing-here')
}
