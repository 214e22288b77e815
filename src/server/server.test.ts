import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type IncomingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { ScriptedFeed } from '../../test/support/scripted-feed.ts'
import { emptyStatus, failedStatus, shopModel, shopStatus } from '../../test/support/shop-status.ts'
import type { ToldClasses, ToldPrediction } from '../ml/told-prediction.ts'
import type { ApiError, JobStatus, ModelSummary, QueryView } from './api.ts'
import { ROUTE_PATHS } from './routes.ts'
import { type RunningServer, type ServerOptions, startServer } from './server.ts'

const TOKEN = 'correct-horse-battery-staple'
const running: RunningServer[] = []
const webRoot = await mkdtemp(join(tmpdir(), 'millrace-web-'))
await mkdir(join(webRoot, 'assets'))
await writeFile(join(webRoot, 'index.html'), '<!doctype html><title>the page</title>')
await writeFile(join(webRoot, 'assets', 'index-a1b2.js'), 'export {}')
await writeFile(join(webRoot, 'secret.pem'), 'not part of a page')

after(async () => {
  await Promise.all(running.map((server) => server.close()))
  await rm(webRoot, { recursive: true })
})

describe('the API', () => {
  test('gives the models, and what one says to features, with its reasons', async () => {
    const { url } = await serve(shopStatus(61_000))
    assert.deepEqual(json<ModelSummary[]>(await ask(`${url}/api/models`)), [shopModel(610)])
    const answer = await ask(`${url}/api/predict?clicks_in_session=7.3&device=mobile&shoe_size=44`)
    const { version, logOdds, probability, contributions, missing, unknown } = json<ToldPrediction>(answer)
    assert.equal(version, 610)
    assert.ok(Math.abs(logOdds - (-3.1 - 0.3312 + 0.1432)) < 1e-9, `${logOdds}`)
    assert.ok(Math.abs(probability - 1 / (1 + Math.exp(-logOdds))) < 1e-12)
    assert.deepEqual(
      contributions.map(({ feature }) => feature),
      ['device', 'clicks_in_session'],
    )
    assert.deepEqual([missing, unknown], [['time_on_page'], ['shoe_size']])
    const hints = await Promise.all(
      [`${url}/api/predict?model=sale`, `${(await serve({ ...emptyStatus(), models: [] })).url}/api/predict`].map(
        (address) => ask(address),
      ),
    )
    assert.deepEqual(
      hints.map(({ status, text }) => [status, JSON.parse(text).error.hint]),
      [
        [404, 'say which: ?model= one of purchase'],
        [404, 'add .predict(...) to a query'],
      ],
    )
  })

  test('gives the probability of each class of a model of several', async () => {
    const classes = ['view', 'purchase'].map((className, index) => {
      const one = shopModel(610)
      return { ...one, name: `next/${className}`, model: 'next', className, intercept: index }
    })
    const { url } = await serve({ ...shopStatus(61_000), models: [...classes, shopModel(1)] })
    const told = json<ToldClasses>(await ask(`${url}/api/predict?model=next&device=mobile`))
    assert.equal(told.prediction, 'purchase')
    const [best, other] = told.classes
    assert.ok(Math.abs((best?.probability ?? 0) - 1 / (1 + Math.exp(-1))) < 1e-12, 'all else is the same')
    assert.ok(Math.abs((best?.probability ?? 0) + (other?.probability ?? 0) - 1) < 1e-12)
    const several = await ask(`${url}/api/predict?device=mobile`)
    assert.equal(JSON.parse(several.text).error.hint, 'say which: ?model= one of next, purchase')
  })

  test('gives the status, a query, and says what it does not know', async () => {
    const status = shopStatus(61_000)
    const { url } = await serve(status)
    assert.deepEqual(json<JobStatus>(await ask(`${url}/api/status`)), status)
    assert.deepEqual(json<QueryView>(await ask(`${url}/api/queries/geo_metrics`)), status.queries[1])
    const unknown = await ask(`${url}/api/queries/%3Cscript%3E`)
    assert.equal(unknown.status, 404)
    assert.deepEqual(json<ApiError>(unknown).error, {
      code: 'not-found',
      message: 'no query is named "<script>"',
      hint: 'the queries are: page_metrics, geo_metrics',
    })
    for (const path of ['/api', '/api/', '/api/nothing', '/api/queries/%ff', '/api/queries/__proto__']) {
      const answer = await ask(url + path)
      assert.equal(answer.status, 404, path)
      assert.equal(json<ApiError>(answer).error.code, 'not-found', path)
    }
  })

  test('changes nothing: other methods are refused, whatever body they bring', async () => {
    const { url } = await serve()
    const answer = await ask(`${url}/api/status`, { method: 'POST', body: 'x'.repeat(100_000) })
    assert.equal(answer.status, 405)
    assert.equal(answer.headers.allow, 'GET, HEAD')
    assert.equal(answer.headers.connection, 'close')
    assert.equal((await ask(`${url}/api/status`, { method: 'HEAD' })).text, '')
  })

  test('is healthy unless the job failed, and ready once it runs', async () => {
    const feed = new ScriptedFeed(shopStatus(0))
    const { url } = await serve(feed)
    assert.deepEqual(await healthAndReadiness(url), [200, 503])
    feed.show(shopStatus(1_000))
    assert.deepEqual(await healthAndReadiness(url), [200, 200])
    const works = shopStatus(1_500)
    feed.show({
      ...works,
      error: { message: 'cannot write journal: no space left on device', hint: 'free some space' },
    })
    assert.deepEqual(await healthAndReadiness(url), [200, 503])
    assert.match((await ask(`${url}/readyz`)).text, /^running: waits, cannot write journal.*no space left on device\n$/)
    const [sink] = works.sinks
    assert.ok(sink)
    feed.show({ ...works, sinks: [{ ...sink, lastError: 'the server is away', nextTryMs: 2_000 }] })
    assert.deepEqual(await healthAndReadiness(url), [200, 503])
    // A view that fails is shown, and holds nothing up.
    feed.show({ ...works, sinks: [{ ...sink, lastError: 'the terminal is gone', nextTryMs: null }] })
    assert.deepEqual(await healthAndReadiness(url), [200, 200])
    feed.show(failedStatus(2_000))
    assert.deepEqual(await healthAndReadiness(url), [503, 503])
    assert.match((await ask(`${url}/healthz`)).text, /^failed: cannot write .*no space left on device\n$/)
  })

  test('gives metrics as text for Prometheus', async () => {
    const { url } = await serve(shopStatus(61_000))
    const answer = await ask(`${url}/metrics`)
    assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
    assert.match(answer.text, /^millrace_rows_read_total 128100$/m)
    assert.match(answer.text, /^process_cpu_seconds_total /m)
  })
})

describe('the page', () => {
  test('is served with its files, which browsers may keep', async () => {
    const { url } = await serve()
    const page = await ask(`${url}/?window=closed`)
    assert.match(page.text, /the page/)
    assert.equal(page.headers['cache-control'], 'no-cache')
    const script = await ask(`${url}/assets/index-a1b2.js`)
    assert.equal(script.headers['content-type'], 'text/javascript; charset=utf-8')
    assert.match(script.headers['cache-control'] ?? '', /immutable/)
    const again = await ask(`${url}/`, { headers: { 'if-none-match': page.headers.etag ?? '' } })
    assert.deepEqual([again.status, again.text], [304, ''])
  })

  test('nothing outside of it is served', async () => {
    const { url } = await serve()
    const paths = [
      '/secret.pem',
      '/../package.json',
      '/assets/../../x',
      '/%2e%2e/%2e%2e/etc/passwd',
      '//etc/passwd',
      '/assets/',
    ]
    for (const path of paths) assert.equal((await ask(url, { path })).status, 404, path)
    assert.equal((await ask(url, { path: '*' })).status, 404)
  })

  test('says how to build it when it is missing, and is there once it is built', async () => {
    const laterRoot = join(webRoot, 'later')
    const { url } = await serve(emptyStatus(), { webRoot: laterRoot })
    const missing = await ask(`${url}/`)
    assert.equal(missing.status, 503)
    assert.match(missing.text, /npm run build:web/)
    await mkdir(laterRoot)
    await writeFile(join(laterRoot, 'index.html'), 'built')
    assert.equal((await ask(`${url}/`)).text, 'built')
  })
})

describe('access', () => {
  test('every answer carries the security headers', async () => {
    const { url } = await serve()
    for (const path of [...ROUTE_PATHS, '/assets/index-a1b2.js', '/nothing', '/api/nothing']) {
      const { headers } = await ask(url + path, { method: path === '/api/stream' ? 'HEAD' : 'GET' })
      assert.equal(
        headers['content-security-policy'],
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        path,
      )
      assert.equal(headers['x-content-type-options'], 'nosniff', path)
      assert.equal(headers['referrer-policy'], 'no-referrer', path)
      assert.equal(headers['access-control-allow-origin'], undefined, path)
    }
  })

  test('with a token, no path answers without it', async () => {
    const { url } = await serve(shopStatus(61_000), { token: TOKEN })
    const wrong = [
      {},
      { authorization: `Bearer ${TOKEN}x` },
      { authorization: TOKEN },
      { cookie: `millrace_session_${new URL(url).port}=${TOKEN}` },
      { cookie: 'millrace_session=x; =; ;;' },
    ]
    for (const path of [
      ...ROUTE_PATHS,
      '/assets/index-a1b2.js',
      '/nothing',
      '/?token=wrong',
      `/api/status?token=${TOKEN}`,
    ]) {
      for (const headers of wrong) {
        const answer = await ask(url + path, { headers })
        assert.equal(answer.status, 401, `${path} ${JSON.stringify(headers)}`)
        assert.doesNotMatch(answer.text, /page-metrics|the page|millrace_/)
      }
      if (path.includes('stream')) continue
      assert.notEqual((await ask(url + path, { headers: { authorization: `Bearer ${TOKEN}` } })).status, 401, path)
    }
    assert.equal((await ask(`${url}/api/status`, { method: 'POST' })).status, 401)
  })

  test('the token opens a session once, which scripts cannot read and other sites cannot use', async () => {
    const { url } = await serve(shopStatus(61_000), { token: TOKEN })
    const login = await ask(`${url}/?token=${TOKEN}`)
    assert.equal(login.headers.refresh, '0; url=/')
    const cookie = login.headers['set-cookie']?.[0] ?? ''
    assert.ok(cookie.startsWith(`millrace_session_${new URL(url).port}=`), 'ports of a host share their cookies')
    assert.match(cookie, /; Path=\/; HttpOnly; SameSite=Strict$/)
    assert.ok(!cookie.includes(TOKEN))
    const session = cookie.slice(0, cookie.indexOf(';'))
    assert.equal((await ask(`${url}/api/status`, { headers: { cookie: `other=1; ${session}` } })).status, 200)
  })

  test('a request that names another host, or comes from the page of one, is refused', async () => {
    const { url, port } = await serve()
    for (const host of [
      'attacker.example',
      `attacker.example:${port}`,
      'localhost.attacker.example',
      '127.0.0.1.',
      '[::2]',
      'x@localhost',
    ]) {
      assert.equal((await ask(`${url}/api/status`, { headers: { host } })).status, 403, host)
    }
    for (const host of [`localhost:${port}`, `LOCALHOST:${port}`, '127.0.0.1', `[::1]:${port}`, 'localhost:9999']) {
      assert.equal((await ask(`${url}/api/status`, { headers: { host } })).status, 200, host)
    }
    for (const origin of ['https://attacker.example', 'null', `http://127.0.0.1:${port + 1}`]) {
      assert.equal((await ask(`${url}/api/status`, { headers: { origin } })).status, 403, origin)
    }
    assert.equal((await ask(`${url}/api/status`, { headers: { origin: url } })).status, 200)
  })

  test('headers beyond 16 KB are refused', async () => {
    const { url } = await serve()
    assert.equal((await ask(`${url}/api/status`, { headers: { padding: 'x'.repeat(17_000) } })).status, 431)
  })
})

describe('starting and stopping', () => {
  test('a taken port is named, with the way out', async () => {
    const { port } = await serve()
    await assert.rejects(serve(emptyStatus(), { port }), {
      code: 'unavailable',
      message: `port ${port} on 127.0.0.1 is taken by another program`,
      hint: `choose another one with --port, such as --port ${port + 1} (--port 0 finds a free one)`,
    })
  })

  test('it is not opened to the network without a token', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.org']) {
      await assert.rejects(serve(emptyStatus(), { host }), { code: 'invalid-option', message: /without a token/ }, host)
    }
    await assert.rejects(serve(emptyStatus(), { host: '0.0.0.0', token: '' }), { message: 'the token is empty' })
    const { port } = await serve(emptyStatus(), { host: '0.0.0.0', token: TOKEN })
    const headers = { host: 'millrace.example:8080', authorization: `Bearer ${TOKEN}` }
    assert.equal((await ask(`http://127.0.0.1:${port}/api/status`, { headers })).status, 200)
  })

  test('an address that this machine does not have is an error that says so', async () => {
    await assert.rejects(serve(emptyStatus(), { host: '192.0.2.1', token: TOKEN }), {
      code: 'invalid-option',
      message: '"192.0.2.1" is not an address of this machine',
    })
  })

  test('closing ends idle connections and lets go of the feed', async () => {
    const feed = new ScriptedFeed(emptyStatus())
    const server = await serve(feed)
    const socket = connect(server.port, '127.0.0.1')
    const closed = new Promise((resolve) => socket.on('close', resolve))
    await new Promise<void>((resolve) => socket.on('connect', resolve))
    await server.close()
    await closed
    assert.equal(feed.listenerCount, 0)
    await assert.rejects(ask(`${server.url}/api/status`), { code: 'ECONNREFUSED' })
  })
})

async function serve(
  source: JobStatus | ScriptedFeed = emptyStatus(),
  options: Partial<ServerOptions> = {},
): Promise<RunningServer> {
  const feed = source instanceof ScriptedFeed ? source : new ScriptedFeed(source)
  const server = await startServer({ feed, webRoot, port: 0, ...options })
  running.push(server)
  return server
}

async function healthAndReadiness(url: string): Promise<number[]> {
  return [(await ask(`${url}/healthz`)).status, (await ask(`${url}/readyz`)).status]
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

interface Question {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Sent as it is, in place of the URL's path. */
  readonly path?: string
}

/** `fetch` would neither send another host's name nor leave a path as it is. */
function ask(url: string, { body, ...options }: Question = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent: false, ...options }, (incoming) => {
      let text = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (part: string) => {
        text += part
      })
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }))
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function json<T>(answer: Answer): T {
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/)
  return JSON.parse(answer.text) as T
}
