import { join } from 'node:path'
import { MillraceError } from '../../base/error.ts'
import { failpoint } from '../../base/failpoint.ts'
import type { ResultBatch } from '../../batch/result-batch.ts'
import { templateText } from '../../plan/key-template.ts'
import { Outbox } from '../outbox.ts'
import type { PreparedOutput, Sink, SinkContext, SinkEpoch, SinkProgress } from '../sink.ts'
import { type Mark, newerFence } from '../table-mark.ts'

/** Where one text for each key is kept, with a mark. */
export interface LatestStore {
  /** For people. */
  readonly target: string
  mark(): Promise<Mark | undefined>
  /** Sets texts and mark in one step, if the mark is still `from`; false when it has moved. Throws `unavailable` when nobody knows. */
  move(from: Mark | undefined, to: Mark, entries: ReadonlyMap<string, string>): Promise<boolean>
  close(): Promise<void>
}

/** Which text is kept under which key. */
export interface LatestLayout {
  /** Names of columns in braces stand for their texts: `models/{model}.json`. */
  readonly key: string
  /** Column whose text is kept. */
  readonly value: string
  /** How a text of a row stands in a key. */
  readonly part: (text: string) => string
}

/**
 * Keeps the newest text for each key, such as the newest export of a model: set when an epoch is certain, never back to an older one.
 * Rows wait in the outbox until then. A newer process, or another run, takes the place over and shuts the older one out.
 */
export class LatestSink implements Sink {
  readonly name: string
  readonly target: string
  readonly view = false
  readonly #layout: LatestLayout
  readonly #columns: readonly string[]
  readonly #store: LatestStore
  readonly #outbox: Outbox
  readonly #owner: string
  #fence = 0

  constructor(layout: LatestLayout, store: LatestStore, context: SinkContext) {
    const { name, fields, outboxFolder, fileSystem } = context
    this.name = name
    this.target = store.target
    this.#layout = layout
    this.#columns = fields.map((field) => field.name)
    this.#store = store
    this.#outbox = new Outbox(outboxFolder && join(outboxFolder, name), fileSystem)
    this.#owner = context.runId ?? context.owner
  }

  async progress(): Promise<SinkProgress | undefined> {
    const mark = await this.#store.mark()
    return mark?.owner === this.#owner ? mark : undefined
  }

  async open(fence: number): Promise<SinkProgress | undefined> {
    const before = await this.#store.mark()
    const own = before?.owner === this.#owner ? before : undefined
    if (own && own.fence > fence) throw newerFence(this.target, own.fence, fence)
    this.#fence = fence
    const { epoch = 0, hash = '' } = own ?? {}
    if (!(await this.#store.move(before, { owner: this.#owner, epoch, fence, hash }, new Map()))) throw moved(this)
    return own
  }

  prepare(at: SinkEpoch, rows: ResultBatch): Promise<PreparedOutput> {
    return this.#outbox.prepare(at, rows)
  }

  async commit({ epoch, hash }: SinkEpoch, prepared: PreparedOutput): Promise<void> {
    if (prepared.rows === 0) return
    const mark = await this.#store.mark()
    // A store that has lost its mark has lost its texts too: these are newer than none.
    if (mark && (mark.owner !== this.#owner || mark.fence !== this.#fence)) {
      throw newerFence(this.target, mark.fence, this.#fence)
    }
    if (mark && mark.epoch >= epoch) return
    const entries = new Map<string, string>()
    for (const { cells } of await this.#outbox.read(prepared)) {
      const cell = (name: string): string => cells[this.#columns.indexOf(name)] ?? ''
      entries.set(
        templateText(this.#layout.key, (name) => this.#layout.part(cell(name))),
        cell(this.#layout.value),
      )
    }
    failpoint('latest:before-move')
    const to = { owner: this.#owner, epoch, fence: this.#fence, hash }
    if (!(await this.#store.move(mark, to, entries))) throw moved(this)
    failpoint('latest:after-move')
  }

  forget(epoch: number): Promise<void> {
    return this.#outbox.forget(epoch)
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}

function moved({ target }: LatestSink): MillraceError {
  return new MillraceError('unavailable', `the mark of ${target} has just moved`, { hint: 'try again' })
}
