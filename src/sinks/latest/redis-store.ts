import type { RedisClientType } from '@redis/client'
import { MillraceError } from '../../base/error.ts'
import type { RedisSinkSpec } from '../../plan/connectors.ts'
import type { Sink, SinkContext } from '../sink.ts'
import type { Mark } from '../table-mark.ts'
import { LatestSink, type LatestStore } from './latest-sink.ts'

const DEFAULT_URL = 'redis://127.0.0.1:6379'
const TIMEOUT_MS = 5_000

/** Keys of Redis with the newest text of each, set together with the sink's mark by one script: a reader sees all of an epoch or nothing. */
export async function redisSink(spec: RedisSinkSpec, context: SinkContext): Promise<Sink> {
  const { env = {} } = context
  const url = spec.url ?? env['MILLRACE_REDIS_URL'] ?? env['REDIS_URL'] ?? DEFAULT_URL
  if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol)) {
    throw new MillraceError('invalid-option', `the sink ${context.name} has no address of a Redis server`, {
      hint: 'write it as redis://user:password@127.0.0.1:6379/0, or rediss:// with TLS',
    })
  }
  const store = new RedisStore(url, `millrace:mark:${context.pipeline}/${context.name}`, spec.key)
  return new LatestSink({ key: spec.key, value: spec.value, part: (text) => text }, store, context)
}

/** KEYS[1] is the mark's; ARGV[1] is what it has to be, empty for none, ARGV[2] what it becomes; then keys with their texts. */
const MOVE = `
local mark = redis.call('GET', KEYS[1])
if (mark or '') ~= ARGV[1] then return 0 end
for i = 2, #KEYS do redis.call('SET', KEYS[i], ARGV[i + 1]) end
redis.call('SET', KEYS[1], ARGV[2])
return 1`

class RedisStore implements LatestStore {
  readonly target: string
  readonly #url: string
  readonly #markKey: string
  #client: RedisClientType | undefined

  constructor(url: string, markKey: string, key: string) {
    this.#url = url
    this.#markKey = markKey
    this.target = `keys ${key} of Redis at ${new URL(url).host}`
  }

  async mark(): Promise<Mark | undefined> {
    const text = await this.#ask((client) => client.get(this.#markKey))
    if (text === null) return undefined
    try {
      return JSON.parse(text) as Mark
    } catch (cause) {
      const hint = `remove it: what it stands for is written again by the next epoch`
      throw new MillraceError('corrupt-data', `the key ${this.#markKey} holds no mark`, { hint, cause })
    }
  }

  async move(from: Mark | undefined, to: Mark, entries: ReadonlyMap<string, string>): Promise<boolean> {
    const keys = [this.#markKey, ...entries.keys()]
    const texts = [from ? markText(from) : '', markText(to), ...entries.values()]
    return (await this.#ask((client) => client.eval(MOVE, { keys, arguments: texts }))) === 1
  }

  async close(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    if (client?.isOpen) client.destroy()
  }

  /** A connection that has failed is not used again: the next attempt makes a new one. */
  async #ask<T>(question: (client: RedisClientType) => Promise<T>): Promise<T> {
    try {
      this.#client ??= await connected(this.#url)
      return await question(this.#client)
    } catch (error) {
      await this.close()
      throw unavailable(this.target, error)
    }
  }
}

/** The library is loaded with the first connection: most pipelines have none. */
async function connected(url: string): Promise<RedisClientType> {
  const { createClient } = await import('@redis/client')
  const client = createClient({
    url,
    commandOptions: { timeout: TIMEOUT_MS },
    socket: { connectTimeout: TIMEOUT_MS, reconnectStrategy: false },
  })
  // Whoever asks is told; without a listener the process would end.
  client.on('error', () => {})
  try {
    return (await client.connect()) as unknown as RedisClientType
  } catch (error) {
    if (client.isOpen) client.destroy()
    throw error
  }
}

function markText({ owner, epoch, fence, hash }: Mark): string {
  return JSON.stringify({ owner, epoch, fence, hash })
}

function unavailable(target: string, cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause
  const why = cause instanceof Error ? cause.message : String(cause)
  return new MillraceError('unavailable', `cannot write to ${target}: ${why}`, {
    hint: 'start the server, or name it with url, MILLRACE_REDIS_URL or REDIS_URL',
    cause,
  })
}
