import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { ScriptedFeed } from '../../test/support/scripted-feed.ts'
import { emptyStatus, shopStatus } from '../../test/support/shop-status.ts'
import type { JobStatus } from './api.ts'
import { LiveStreams, type LiveStreamsOptions } from './live-streams.ts'

test('a reader gets the state at once, then each change', async (context) => {
  const { feed, open } = await host(context, { intervalMs: 1 })
  const states = statesOf(await open())
  assert.equal((await states.next()).epoch, 0)
  for (const elapsedMs of [500, 1_000, 1_500]) {
    feed.show(shopStatus(elapsedMs))
    assert.equal((await states.next()).epoch, elapsedMs / 500)
  }
})

test('of changes that follow closely only the newest is sent', async (context) => {
  const { feed, open } = await host(context, { intervalMs: 500 })
  const states = statesOf(await open())
  await states.next()
  for (let epoch = 1; epoch <= 100; epoch++) feed.show(shopStatus(epoch * 500))
  assert.equal((await states.next()).epoch, 100)
  for (let epoch = 181; epoch <= 200; epoch++) {
    feed.show(shopStatus(epoch * 500))
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal((await states.next()).epoch, 200)
})

test('a reader who does not read misses states instead of piling them up, and then gets the newest', async (context) => {
  const { feed, streams, open } = await host(context, { intervalMs: 1 })
  const slow = await open()
  slow.pause()
  const quick = statesOf(await open())
  await quick.next()
  const rounds = 60
  for (let epoch = 1; epoch <= rounds; epoch++) {
    feed.show(largeStatus(epoch)) // 1 MB each: far more in total than sockets and pipes hold.
    await quick.next()
  }
  assert.ok(
    streams.bufferedBytes < 3 * LARGE_BYTES,
    `${streams.bufferedBytes} bytes wait for a reader who does not read`,
  )
  const late = statesOf(slow)
  let received = 0
  let state: JobStatus
  do {
    state = await late.next()
    received++
  } while (state.epoch < rounds)
  assert.ok(received < rounds / 2, `${received} of ${rounds} states were kept for a reader who did not read`)
})

test('a reader who takes nothing for two heartbeats is cut off', async (context) => {
  const { feed, streams, open } = await host(context, { intervalMs: 1, heartbeatMs: 20, streamsMax: 1 })
  const slow = await open()
  const closed = new Promise((resolve) => slow.on('close', resolve))
  slow.on('error', () => {}).pause()
  for (let epoch = 1; streams.full; epoch++) {
    feed.show(largeStatus(epoch))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  slow.resume()
  await closed
})

test('a quiet stream is kept open by comments', async (context) => {
  const { open } = await host(context, { heartbeatMs: 5 })
  const incoming = await open()
  let text = ''
  for await (const part of incoming) {
    text += part
    if (text.includes(': still here\n\n: still here\n\n')) break
  }
  assert.match(text, /^retry: 1000\n\nevent: status\ndata: \{.*\}\n\n: still here\n\n/)
})

test('there is a limit to the number of readers, and who leaves makes room', async (context) => {
  const { streams, open } = await host(context, { streamsMax: 2 })
  const first = await open()
  await open()
  assert.equal(streams.full, true)
  first.destroy()
  while (streams.full) await new Promise((resolve) => setImmediate(resolve))
})

test('closing sends the last state and ends the stream', async (context) => {
  const { feed, streams, open } = await host(context, { intervalMs: 60_000 })
  const states = statesOf(await open())
  await states.next()
  feed.show(shopStatus(500))
  assert.equal((await states.next()).epoch, 1)
  feed.show({ ...shopStatus(1_000), state: 'finished' })
  const last = states.next()
  await streams.close()
  assert.equal((await last).state, 'finished')
  assert.equal(feed.listenerCount, 0)
})

const LARGE_BYTES = 1_000_000

function largeStatus(epoch: number): JobStatus {
  return { ...emptyStatus(), epoch, recovery: 'x'.repeat(LARGE_BYTES) }
}

async function host(context: TestContext, options: Partial<LiveStreamsOptions>) {
  const feed = new ScriptedFeed(emptyStatus())
  const streams = new LiveStreams(feed, options)
  const server = createServer((_, response) => streams.open(response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  context.after(async () => {
    await streams.close()
    server.closeAllConnections()
    server.close()
  })
  const open = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => get({ port, host: '127.0.0.1', agent: false }, resolve).on('error', reject))
  return { feed, streams, open }
}

/** Reads one state after the other; other lines are skipped. */
function statesOf(incoming: IncomingMessage): { next(): Promise<JobStatus> } {
  const parts = incoming.setEncoding('utf8')[Symbol.asyncIterator]()
  let text = ''
  return {
    async next() {
      for (;;) {
        const end = text.indexOf('\n\n')
        if (end >= 0) {
          const block = text.slice(0, end)
          text = text.slice(end + 2)
          const data = /^data: (.*)$/m.exec(block)?.[1]
          if (data !== undefined) return JSON.parse(data) as JobStatus
          continue
        }
        const part = await parts.next()
        assert.ok(!part.done, 'the stream ended')
        text += part.value
      }
    },
  }
}
