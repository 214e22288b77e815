import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Contender } from '../support/measure.ts'
import type { EngineData } from './data.ts'

/** What a contender does, over what. */
export interface EngineWork {
  readonly what: 'engine' | 'decode' | 'operators'
  readonly plan:
    | { readonly queries: readonly string[] }
    | { readonly presets: readonly string[] }
    | { readonly size: string; readonly slide: string }
  readonly data: EngineData
}

/**
 * A contender with a thread of its own. A process that runs a job runs one plan, and the compiler makes code for the types that it sees
 * there; contenders with different plans in one thread would make all code fit for everything, which no job's is.
 */
export function threadContender(name: string, work: EngineWork): Contender & { stop(): Promise<void> } {
  const thread = new Worker(new URL('./thread.ts', import.meta.url), { workerData: work })
  return {
    name,
    async run() {
      thread.postMessage('run')
      const [events] = (await once(thread, 'message')) as [number]
      return events
    },
    async stop() {
      await thread.terminate()
    },
  }
}
