import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createWebServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import type { SecureListeners } from '../../scripts/kafka-cluster.ts'
import { MillraceError } from '../../src/base/error.ts'
import { Connection } from '../../src/log/kafka/connection.ts'
import { apiVersions, metadata } from '../../src/log/kafka/wire.ts'
import { RecordBatchBuilder } from '../../src/log/record-batch-builder.ts'
import { logSource } from '../../src/plan/connectors.ts'
import { kafkaSource } from '../../src/sources/kafka-source.ts'
import { freshTopic, openTestLog, testKafka } from '../support/kafka.ts'
import { draftOf } from '../support/log-records.ts'
import { requirement } from '../support/requirement.ts'

type Environment = Record<string, string>

/** Every one of these is met by somebody on the first day: each says within seconds what is wrong and what to do. */
describe('what goes wrong with Kafka is told', requirement('kafka'), () => {
  let servers: string
  let secure: SecureListeners
  let folder: string
  let ca: string
  before(async () => {
    const cluster = await testKafka()
    servers = cluster.bootstrap
    assert.ok(cluster.secure)
    secure = cluster.secure
    folder = mkdtempSync(join(tmpdir(), 'millrace-kafka-errors-'))
    ca = join(folder, 'ca.pem')
    writeFileSync(ca, secure.certificate)
  })
  after(() => folder && rmSync(folder, { recursive: true }))

  const login = (mechanism: string, username: string, password: string, protocol = 'SASL_PLAINTEXT'): Environment => ({
    KAFKA_SECURITY_PROTOCOL: protocol,
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: username,
    KAFKA_SASL_PASSWORD: password,
    KAFKA_SSL_CA_LOCATION: ca,
  })

  test('the right credentials and certificates are let in', async () => {
    for (const [address, environment] of [
      [secure.sasl, login('PLAIN', 'alice', 'secret')],
      [secure.sasl, login('SCRAM-SHA-256', 'bob', 'builder')],
      [secure.tls, { KAFKA_SECURITY_PROTOCOL: 'SSL', KAFKA_SSL_CA_LOCATION: ca }],
      [secure.saslTls, login('SCRAM-SHA-256', 'bob', 'builder', 'SASL_SSL')],
      [secure.saslTls, login('PLAIN', 'alice', 'secret', 'SASL_SSL')],
    ] as const) {
      const log = await openTestLog(address, environment)
      const topic = freshTopic('secured')
      await log.createTopic(topic, { partitions: 1 })
      await log.append(topic, 0, draftOf('x'))
      await log.close()
    }
  })

  const refused = async (
    address: string,
    environment: () => Environment,
    code: string,
    message: RegExp,
    hint: RegExp,
  ) => {
    await assert.rejects(
      openTestLog(address, environment()).then((log) => log.close()),
      (error) => {
        assert.ok(error instanceof MillraceError, String(error))
        assert.equal(error.code, code, error.message)
        assert.match(error.message, message)
        assert.match(error.hint, hint)
        return true
      },
    )
  }

  test('a wrong password, an unknown user, a mechanism that is off', async () => {
    await refused(
      secure.sasl,
      () => login('PLAIN', 'alice', 'wrong'),
      'invalid-option',
      /log in at .* with PLAIN: .*SASL_AUTHENTICATION_FAILED/,
      /KAFKA_SASL_PASSWORD/,
    )
    await refused(
      secure.sasl,
      () => login('SCRAM-SHA-256', 'nobody', 'builder'),
      'invalid-option',
      /SASL_AUTHENTICATION_FAILED/,
      /KAFKA_SASL_USERNAME/,
    )
    await refused(
      secure.sasl,
      () => login('SCRAM-SHA-512', 'bob', 'builder'),
      'invalid-option',
      /UNSUPPORTED_SASL_MECHANISM.*it offers .*SCRAM-SHA-256/,
      /KAFKA_SASL_MECHANISM/,
    )
    await refused(
      servers,
      () => login('SCRAM-SHA-256', 'bob', 'builder'),
      'invalid-option',
      /ILLEGAL_SASL_STATE/,
      /wants no password/,
    )
  })

  test('no password where one is wanted', async () => {
    await refused(secure.sasl, () => ({}), 'unavailable', /has closed the connection/, /KAFKA_SASL_MECHANISM/)
  })

  test('TLS to a port without, none to a port with it, a certificate that nobody vouches for', async () => {
    const tls = { KAFKA_SECURITY_PROTOCOL: 'SSL', KAFKA_SSL_CA_LOCATION: ca }
    await refused(
      servers,
      () => tls,
      'invalid-option',
      /the TLS handshake with .* failed/,
      /KAFKA_SECURITY_PROTOCOL=PLAINTEXT/,
    )
    await refused(secure.tls, () => ({}), 'invalid-option', /speaks TLS/, /KAFKA_SECURITY_PROTOCOL=SSL/)
    await refused(
      secure.tls,
      () => ({ KAFKA_SECURITY_PROTOCOL: 'SSL' }),
      'invalid-option',
      /is not trusted/,
      /KAFKA_SSL_CA_LOCATION/,
    )
  })

  test('a broker by a name that its certificate does not have', async (t) => {
    const elsewhere = createServer((client) => relay(client, secure.tls))
    await refused(
      await listening(t, elsewhere, '127.0.0.2'),
      () => ({ KAFKA_SECURITY_PROTOCOL: 'SSL', KAFKA_SSL_CA_LOCATION: ca }),
      'invalid-option',
      /the certificate of 127\.0\.0\.2:\d+ is not trusted: .*127\.0\.0\.2/,
      /name .* the broker as its certificate does/,
    )
  })

  test('TLS that is reset once it has worked is a broker that has gone, not a wrong setting', async (t) => {
    const clients: Socket[] = []
    const server = createServer((client) => {
      clients.push(client)
      relay(client, secure.tls)
    })
    await listening(t, server)
    const address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
    const timeouts = { connectTimeoutMs: 5_000, requestTimeoutMs: 5_000 }
    const connection = await Connection.open({ address, security: { tls: { ca: secure.certificate } }, ...timeouts })
    await apiVersions(connection, 'millrace', '0')
    const waiting = assert.rejects(metadata(connection, [], false, false), { code: 'unavailable' })
    for (const client of clients) client.resetAndDestroy()
    await waiting
    assert.equal(connection.closed?.code, 'unavailable')
  })

  test('a port where nobody listens, where a web server does, or somebody who says nothing', async (t) => {
    const web = await listening(
      t,
      createWebServer((_, response) => response.end()),
    )
    const silent = await listening(t, createServer())
    const gone = createServer()
    const free = await new Promise<number>((resolve) =>
      gone.listen(0, '127.0.0.1', () => resolve((gone.address() as AddressInfo).port)),
    )
    await new Promise((resolve) => gone.close(resolve))
    await refused(
      `127.0.0.1:${free}`,
      () => ({}),
      'unavailable',
      /there is no broker at 127.0.0.1/,
      /--bootstrap-servers/,
    )
    await refused(web, () => ({}), 'invalid-option', /is a web server/, /host and port/)
    await refused(silent, () => ({}), 'unavailable', /has not answered for/, /hangs/)
    await refused('no-such-host.invalid:9092', () => ({}), 'unavailable', /cannot be resolved/, /advertised/)
  })

  test('a topic that is not there, with one that has almost its name', async (t) => {
    const log = await openTestLog(servers)
    t.after(() => log.close())
    const topic = freshTopic('clicks')
    await log.createTopic(topic, { partitions: 1 })
    await assert.rejects(kafkaSource(logSource(`${topic}x`), log), (error) => {
      assert.ok(error instanceof MillraceError && error.code === 'invalid-option')
      assert.match(error.message, /^there is no topic "clicks-.*x" on Kafka cluster /)
      assert.ok(error.hint.includes(topic) && error.hint.includes('millrace generate'), error.hint)
      return true
    })
  })

  test('a batch that is too large; the ones behind it are taken', async (t) => {
    const log = await openTestLog(servers)
    t.after(() => log.close())
    const topic = freshTopic('large')
    await log.createTopic(topic, { partitions: 1 })
    const builder = new RecordBatchBuilder()
    builder.add(null, new Uint8Array(1 << 20), Date.now())
    const large = log.append(topic, 0, builder.finish())
    const next = log.append(topic, 0, draftOf('small'))
    await assert.rejects(large, (error) => {
      assert.ok(error instanceof MillraceError && error.code === 'invalid-option')
      assert.match(error.message, /^append to large-.*-0: the broker answers MESSAGE_TOO_LARGE \(10\)/)
      assert.match(error.hint, /max\.message\.bytes/)
      return true
    })
    assert.equal((await next).baseOffset, 0)
  })
})

async function listening(t: TestContext, server: Server, host = '127.0.0.1'): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  t.after(() => server.close())
  return `${host}:${(server.address() as AddressInfo).port}`
}

/** Leads a connection on to another server, for as long as both ends live. */
function relay(client: Socket, target: string): void {
  const { hostname, port } = new URL(`kafka://${target}`)
  const upstream = connect(Number(port), hostname)
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.pipe(to)
    from.on('error', () => {})
    from.on('close', () => to.destroy())
  }
}
