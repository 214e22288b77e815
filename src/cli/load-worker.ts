import { Worker } from 'node:worker_threads'
import { type ErrorCode, MillraceError } from '../base/error.ts'
import type { LoadResult } from '../generator/load.ts'
import type { GeneratorSettings } from '../generator/settings.ts'
import type { Log } from '../log/log.ts'
import { LoadTally, LoadTarget } from './load-target.ts'

/** What some producers of a load test do. Plain data, so that a thread can be given it. */
export interface LoadShare {
  readonly topic: string
  /** One producer for each. */
  readonly settings: readonly GeneratorSettings[]
  readonly tallies: readonly SharedArrayBuffer[]
  readonly bytesPerProducer: number
  readonly lingerMs: number
  readonly batchBytes: number
  /** An element that is not 0 says stop. */
  readonly stop: SharedArrayBuffer
}

/** What became of a share. */
export interface LoadShareResult {
  readonly rows: number
  readonly bytes: number
  /** Errors of the brokers that were overcome, how often each. */
  readonly troubles: readonly (readonly [string, number])[]
}

/** What a thread of a load test is given. */
export interface LoadThreadData {
  readonly servers: string
  readonly share: LoadShare
}

/** The published package is JavaScript. */
const ENTRY = import.meta.url.endsWith('.ts')
  ? new URL('./load-worker-entry.ts', import.meta.url)
  : new URL('./load-worker-entry.js', import.meta.url)

/** Runs producers side by side in this thread, each with a session pool of its own. */
export async function runLoadShare(log: Log, share: LoadShare): Promise<LoadShareResult> {
  const { generateInto } = await import('../generator/load.ts')
  const stopping = new AbortController()
  const flag = new Int32Array(share.stop)
  const watch = setInterval(() => {
    if (Atomics.load(flag, 0) !== 0) stopping.abort()
  }, 50)
  try {
    const results = await Promise.all(
      share.settings.map(
        (settings, index): Promise<LoadResult> =>
          generateInto(new LoadTarget(log, new LoadTally(share.tallies[index])), share.topic, settings, {
            pace: 'flat-out',
            bytes: share.bytesPerProducer,
            lingerMs: share.lingerMs,
            batchBytes: share.batchBytes,
            signal: stopping.signal,
          }),
      ),
    )
    return {
      rows: results.reduce((sum, { rows }) => sum + rows, 0),
      bytes: results.reduce((sum, { bytes }) => sum + bytes, 0),
      troubles: 'troubles' in log ? [...(log.troubles as ReadonlyMap<string, number>)] : [],
    }
  } finally {
    clearInterval(watch)
  }
}

/** The same in a thread of its own. Resolves when that is connected to Kafka; the work begins with the call of what it resolves to. */
export function startLoadThread(servers: string, share: LoadShare): Promise<() => Promise<LoadShareResult>> {
  const worker = new Worker(ENTRY, { workerData: { servers, share } satisfies LoadThreadData })
  const failure = new Promise<never>((_, reject) => {
    worker.once('error', (error) => reject(knownError(error)))
    worker.once('exit', (code) => reject(new Error(`a thread of the load test ended with ${code}`)))
  })
  const message = (): Promise<unknown> => new Promise((resolve) => worker.once('message', resolve))
  const work = (): Promise<LoadShareResult> => {
    const result = message()
    worker.ref()
    worker.postMessage('begin')
    return Promise.race([result, failure]) as Promise<LoadShareResult>
  }
  // One that waits to begin does not hold up the end of a program in which another one could not connect.
  const ready = message().then(() => {
    worker.unref()
    return work
  })
  return Promise.race([ready, failure])
}

/** On its way out of a thread an error keeps its members and loses its class. */
function knownError(error: unknown): unknown {
  if (!(error instanceof Error && 'hint' in error && 'code' in error)) return error
  return new MillraceError(error.code as ErrorCode, error.message, { hint: String(error.hint), cause: error.cause })
}
