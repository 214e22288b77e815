import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { redact } from '../base/redact.ts'
import type { StatusFeed } from './status-feed.ts'

/** Times in ms. */
export interface LiveStreamsOptions {
  /** Streams at once; a further one is refused. */
  readonly streamsMax: number
  /** States follow each other at least this far apart. */
  readonly intervalMs: number
  /** How often a comment keeps proxies from closing a quiet stream; a reader who takes nothing for two beats is cut off. */
  readonly heartbeatMs: number
}

const DEFAULTS: LiveStreamsOptions = { streamsMax: 32, intervalMs: 250, heartbeatMs: 15_000 }
const CLOSE_GRACE_MS = 500

/**
 * Server-sent events: the job's state to everybody who watches.
 *
 * A state is the whole truth, so states can be skipped. Each reader has at most one in flight; while it has not taken it,
 * newer ones replace each other, and it gets the newest when it is ready. Memory per reader is therefore bounded by one state
 * and the socket's own buffer, however slow it is. A state is serialised once for all readers, and only if there are any.
 */
export class LiveStreams {
  readonly #feed: StatusFeed
  readonly #options: LiveStreamsOptions
  readonly #streams = new Set<Stream>()
  readonly #unsubscribe: () => void
  readonly #heartbeat: NodeJS.Timeout
  #pause: NodeJS.Timeout | null = null
  #changed = false
  #closed = false

  constructor(feed: StatusFeed, options: Partial<LiveStreamsOptions> = {}) {
    this.#feed = feed
    this.#options = { ...DEFAULTS, ...options }
    this.#unsubscribe = feed.subscribe(() => this.#note())
    this.#heartbeat = setInterval(() => this.#beat(), this.#options.heartbeatMs)
    this.#heartbeat.unref()
  }

  get full(): boolean {
    return this.#closed || this.#streams.size >= this.#options.streamsMax
  }

  /** What is kept in memory for readers who have not taken it yet. */
  get bufferedBytes(): number {
    let bytes = 0
    for (const { response } of this.#streams) bytes += response.writableLength
    return bytes
  }

  /** Sends the state as it is now, then each new one, until the reader leaves. Not to be called when `full`. */
  open(response: ServerResponse): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    const stream: Stream = { response, behind: false, beatsMissed: 0 }
    this.#streams.add(stream)
    response.on('close', () => this.#streams.delete(stream))
    response.on('error', () => response.destroy())
    response.on('drain', () => this.#catchUp(stream))
    response.write(`retry: 1000\n\n${this.#frame()}`)
  }

  /** Sends everybody the last state and ends; who has not taken it after half a second is cut off. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#unsubscribe()
    clearInterval(this.#heartbeat)
    if (this.#pause) clearTimeout(this.#pause)
    if (this.#streams.size === 0) return
    const frame = this.#frame()
    const ended = [...this.#streams].map(
      ({ response }) => new Promise<void>((resolve) => response.once('close', resolve).end(frame)),
    )
    const grace = new AbortController()
    await Promise.race([Promise.all(ended), delay(CLOSE_GRACE_MS, undefined, { signal: grace.signal })])
    grace.abort()
    for (const { response } of this.#streams) response.destroy()
  }

  /** A first change is sent as soon as the job lets go of the thread; those that follow closely wait for the interval's end. */
  #note(): void {
    this.#changed = true
    if (this.#streams.size > 0) this.#pause ??= setTimeout(() => this.#broadcast(), 0)
  }

  #broadcast(): void {
    this.#pause = null
    if (!this.#changed || this.#streams.size === 0) return
    this.#changed = false
    const frame = this.#frame()
    for (const stream of this.#streams) {
      if (stream.response.writableNeedDrain) stream.behind = true
      else stream.response.write(frame)
    }
    this.#pause = setTimeout(() => this.#broadcast(), this.#options.intervalMs)
  }

  #catchUp(stream: Stream): void {
    stream.beatsMissed = 0
    if (!stream.behind || this.#closed) return
    stream.behind = false
    stream.response.write(this.#frame())
  }

  #beat(): void {
    for (const stream of this.#streams) {
      if (!stream.response.writableNeedDrain) stream.response.write(': still here\n\n')
      else if (++stream.beatsMissed >= 2) stream.response.destroy()
    }
  }

  #frame(): string {
    return `event: status\ndata: ${redact(JSON.stringify(this.#feed.status()))}\n\n`
  }
}

interface Stream {
  readonly response: ServerResponse
  /** A state was skipped because the reader had not taken the one before. */
  behind: boolean
  beatsMissed: number
}
