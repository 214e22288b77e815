import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createClient } from '@redis/client'
import { required } from './requirement.ts'

/** A Redis server of a test; it ends with the test. */
export interface TestRedis {
  readonly url: string
  get(key: string): Promise<string | null>
  keys(): Promise<string[]>
  /** Forgets everything, as a server does that keeps nothing and is started anew. */
  flush(): Promise<void>
  stop(): Promise<void>
}

/** Starts a server that keeps nothing on disk; resolves when it answers. */
export async function startRedis(t: TestContext): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-redis-'))
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
  const server = spawn(required('redis'), args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.once('exit', () => reject(new Error('redis-server has ended')))
    server.stdout.on('data', (text: Buffer) => {
      if (text.toString().includes('Ready to accept connections')) resolve()
    })
  })
  const url = `redis://127.0.0.1:${port}`
  const stop = async (): Promise<void> => {
    server.kill('SIGTERM')
    await ended
  }
  t.after(async () => {
    await stop()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    url,
    get: (key) => asked(url, (client) => client.get(key)),
    keys: async () => (await asked(url, (client) => client.keys('*'))).sort(),
    flush: async () => {
      await asked(url, (client) => client.flushAll())
    },
    stop,
  }
}

/** What the tests ask. */
interface Client {
  get(key: string): Promise<string | null>
  keys(pattern: string): Promise<string[]>
  flushAll(): Promise<string>
}

async function asked<T>(url: string, question: (client: Client) => Promise<T>): Promise<T> {
  const client = await createClient({ url }).connect()
  try {
    return await question(client)
  } finally {
    await client.close()
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
