// A process is stopped before one of its calls of the file system, whichever; another one takes over and works; then the first goes on.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FaultyFiles } from '../../test/support/faulty-files.ts'
import { FileStore } from '../../test/support/file-store.ts'
import { rowText, sinkBatch } from '../../test/support/sink-rows.ts'
import { MillraceError } from '../base/error.ts'
import type { FileSystem, OpenFile } from '../base/file-system.ts'
import type { RollSpec } from '../plan/connectors.ts'
import type { PreparedOutput, Sink, SinkEpoch } from './sink.ts'
import { staleWriter } from './staging-area.ts'

const ROLL: RollSpec = { everyMs: 60_000, bytes: 1e9 }

for (const [what, spec] of [
  ['files', { kind: 'json' }],
  ['rolling files', { kind: 'json', roll: ROLL }],
] as const) {
  test(`${what}: who is replaced at any moment ends as stale, and every certain row comes out once`, async () => {
    let calls = 1
    for (let stoppedAt = 1; stoppedAt <= calls; stoppedAt++) {
      const files = new FaultyFiles()
      await files.mkdir('/w')
      const open = (fileSystem: FileSystem): Promise<Sink> => new FileStore('/w', spec, fileSystem).sink()
      const job = new Journal()
      await job.live(await open(files), { fence: 1, epochs: [1, 2] })
      const replaced = stopping(files, async (call) => {
        calls = Math.max(calls, call)
        if (call === stoppedAt) await job.live(await open(files), { fence: 3, epochs: [10, 11] })
      })
      const ended: unknown = await job
        .live(await open(replaced), { fence: 2, epochs: [3, 4, 5] })
        .catch((error) => error)
      if (job.fence === 3)
        assert.ok(isStale(ended), `call ${stoppedAt}: ${ended instanceof Error ? ended.stack : ended}`)
      await job.live(await open(files), { fence: 4, epochs: [12], final: true })
      const rows = job.certain.map((epoch) => rowText(`epoch ${epoch}`, epoch)).sort()
      assert.deepEqual(await new FileStore('/w', spec, files).loggedRows(), rows, `call ${stoppedAt}`)
    }
    assert.ok(calls > 40, `${calls} calls`)
  })
}

/** What all processes of a job know: which epochs are certain, and who may say so. */
class Journal {
  readonly certain: number[] = []
  fence = 0
  #last: { readonly at: SinkEpoch; readonly prepared: PreparedOutput } | undefined

  /** One process: recovers, and runs epochs. */
  async live(sink: Sink, life: { fence: number; epochs: readonly number[]; final?: boolean }): Promise<void> {
    const { fence, final = false } = life
    this.fence = fence
    await sink.open(fence, { epoch: this.certain.at(-1) ?? 0, reset: false })
    this.#assertOwn(fence)
    if (this.#last) await sink.commit({ ...this.#last.at, fence }, this.#last.prepared)
    for (const epoch of life.epochs) {
      const at = { epoch, previous: this.certain.at(-1) ?? 0, fence, hash: `hash ${epoch}` }
      const prepared = await sink.prepare({ ...at, final }, sinkBatch([{ page: `epoch ${epoch}`, views: epoch }]))
      this.#assertOwn(fence)
      this.certain.push(epoch)
      this.#last = { at, prepared }
      await sink.commit(at, prepared)
      await sink.forget(epoch - 1)
    }
    this.#assertOwn(fence)
  }

  /** Whoever was replaced can write nothing into the journal. */
  #assertOwn(fence: number): void {
    if (fence < this.fence) throw staleWriter('the journal', fence)
  }
}

/** The file system, as a process sees it that is told of each of its calls before it is made. */
function stopping(files: FileSystem, before: (call: number) => Promise<void>): FileSystem {
  let call = 0
  const told = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (_, name) => {
        const made = Reflect.get(target, name) as ((...args: unknown[]) => Promise<unknown>) | undefined
        if (!made) return undefined
        return async (...args: unknown[]) => {
          await before(++call)
          const result = await made.apply(target, args)
          return name === 'open' ? told(result as OpenFile) : result
        }
      },
    })
  return told(files)
}

function isStale(error: unknown): boolean {
  return error instanceof MillraceError && error.code === 'incompatible-state' && /newer process/.test(error.message)
}
