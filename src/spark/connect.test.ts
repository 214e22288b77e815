import assert from 'node:assert/strict'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Server, ServerCredentials, type ServerWritableStream, type sendUnaryData } from '@grpc/grpc-js'
import { type ConnectOptions, SparkSession } from './connect.ts'
import { loadProtocol } from './protocol.ts'

test('a server that takes a call and says nothing is given up, whatever the call', async (t) => {
  const { address, sockets } = await silentServer(t)
  const options = { address, tls: false, userId: 'test', answerMsMax: 100 }
  const session = await open(t, options)
  const gone = { name: 'SparkError', code: 'unavailable', loss: 'server' }
  await assert.rejects(session.version(), gone)
  await assert.rejects(session.collect({ sql: { query: 'SELECT 1' } }), gone)
  await assert.rejects(session.askQuery({ id: 'a', run_id: 'b' }, { stop: true }), gone)
  assert.equal(sockets.length, 1)
  await assert.rejects((await open(t, options)).version(), gone)
  assert.equal(sockets.length, 2, 'a new session has a connection of its own')
})

test('a call that takes long is waited for as long as the server answers others', async (t) => {
  const { address, asked } = await slowServer(t, 3)
  const session = await open(t, { address, tls: false, userId: 'test', answerMsMax: 2_000 })
  assert.deepEqual(await session.startStream(STREAM), { id: 'a', run_id: 'b' })
  assert.equal(asked(), 3)
})

const STREAM = {
  input: { sql: { query: 'SELECT 1' } },
  format: 'text',
  options: {},
  partitioning_column_names: [],
  output_mode: 'append',
  query_name: 'slow',
} as const

async function open(t: TestContext, options: ConnectOptions): Promise<SparkSession> {
  const session = await SparkSession.open(options)
  t.after(() => session.close())
  return session
}

/** Takes connections, as a machine does whose server hangs. */
async function silentServer(t: TestContext): Promise<{ readonly address: string; readonly sockets: Socket[] }> {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, sockets }
}

/** Starts a query when it has been asked for its version so many times meanwhile. */
async function slowServer(t: TestContext, times: number): Promise<{ readonly address: string; asked(): number }> {
  const protocol = await loadProtocol()
  const started = { write_stream_operation_start_result: { query_id: { id: 'a', run_id: 'b' }, name: 'slow' } }
  let starting: ServerWritableStream<Buffer, Buffer> | undefined
  let asked = 0
  const server = new Server()
  server.addService(
    {
      ExecutePlan: method('ExecutePlan', true),
      AnalyzePlan: method('AnalyzePlan', false),
    },
    {
      ExecutePlan: (call: ServerWritableStream<Buffer, Buffer>) => {
        starting = call
      },
      AnalyzePlan: (_: unknown, answer: sendUnaryData<Buffer>) => {
        answer(null, protocol.encode('AnalyzePlanResponse', { spark_version: { text: '4.2.0' } }))
        if (++asked !== times) return
        starting?.write(protocol.encode('ExecutePlanResponse', started))
        starting?.end()
      },
    },
  )
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
    error ? reject(error) : resolve(port),
  )
  t.after(() => server.forceShutdown())
  return { address: `127.0.0.1:${await promise}`, asked: () => asked }
}

function method(name: string, responseStream: boolean) {
  const same = (bytes: Buffer): Buffer => bytes
  return {
    path: `/spark.connect.SparkConnectService/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  }
}
