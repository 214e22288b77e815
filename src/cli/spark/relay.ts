import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../base/clock.ts'
import { resultHash } from '../../job/result-hash.ts'
import { untilAvailable } from '../../job/retry.ts'
import { keyColumns, resultFields } from '../../plan/result-schema.ts'
import { createSink } from '../../sinks/index.ts'
import type { Sink } from '../../sinks/sink.ts'
import type { SparkQuery, TableSink } from '../../spark/write-stream.ts'
import { readRelayedRows } from './relayed-rows.ts'
import { type SinkBatch, sinkBatches } from './sink-log.ts'

/** Whose rows go where. */
export interface RelayContext {
  readonly pipeline: string
  readonly homeFolder: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly tell: (text: string) => void
}

/** How far a relay is. */
export interface RelayState {
  readonly name: string
  /** Rows that it has brought over since it was opened. */
  readonly rows: number
}

const LOOK_MS = 500

/**
 * Brings the rows that Spark has left in a folder into a table, each micro-batch once: batch `n` is epoch `n + 1` of our own sink, which keeps its
 * mark beside the rows and moves it with them in one transaction. Files of batches that are in the table are removed.
 */
export class Relay {
  readonly #sink: Sink
  readonly #folder: string
  readonly #query: SparkQuery
  readonly #context: RelayContext
  readonly #stopping = new AbortController()
  #fence = 0
  #nextBatch = 0
  #rows = 0

  private constructor(sink: Sink, folder: string, query: SparkQuery, context: RelayContext) {
    this.#sink = sink
    this.#folder = folder
    this.#query = query
    this.#context = context
  }

  /** Opens the table, and finds out how far it is. */
  static async open(query: SparkQuery, relay: NonNullable<SparkQuery['relay']>, context: RelayContext): Promise<Relay> {
    const sink = await tableSink(query, relay.sink, context)
    const opened = new Relay(sink, relay.folder, query, context)
    await opened.#patiently(() => opened.#open())
    return opened
  }

  get name(): string {
    return this.#query.name
  }

  /** Rows that it has brought over since it was opened. */
  get rows(): number {
    return this.#rows
  }

  /** Goes on until it is stopped; what Spark has written until then is in the table when this resolves. */
  async run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#bring()
      await sleep(LOOK_MS, undefined, { signal: this.#stopping.signal }).catch(() => {})
    }
    await this.#bring()
  }

  stop(): void {
    this.#stopping.abort()
  }

  async close(): Promise<void> {
    await this.#sink.close()
  }

  async #open(): Promise<void> {
    const before = await this.#sink.progress()
    this.#fence = (before?.fence ?? 0) + 1
    const mark = await this.#sink.open(this.#fence)
    this.#nextBatch = mark?.epoch ?? 0
    // A process that died between the transaction and the removal has left these.
    for (const batch of await sinkBatches(this.#folder, 0)) if (batch.batchId < this.#nextBatch) await remove(batch)
  }

  async #bring(): Promise<void> {
    for (const batch of await sinkBatches(this.#folder, this.#nextBatch)) {
      await this.#patiently(() => this.#commit(batch))
      await remove(batch)
      this.#nextBatch = batch.batchId + 1
    }
  }

  async #commit(batch: SinkBatch): Promise<void> {
    const rows = await readRelayedRows(batch.files, resultFields(this.#query.query))
    const epoch = batch.batchId + 1
    const at = { epoch, previous: epoch - 1, fence: this.#fence, hash: resultHash(rows) }
    const prepared = await this.#sink.prepare(at, rows)
    await this.#sink.commit(at, prepared)
    await this.#sink.forget(epoch)
    this.#rows += rows.rowCount
  }

  #patiently<T>(work: () => Promise<T>): Promise<T> {
    return untilAvailable(work, {
      clock: systemClock,
      signal: this.#stopping.signal,
      name: this.name,
      tell: (trouble) =>
        this.#context.tell(`${this.name}: ${trouble ? `${trouble.message}; trying again` : 'goes on'}`),
    })
  }
}

function tableSink({ name, query, checkpoint }: SparkQuery, sink: TableSink, context: RelayContext): Promise<Sink> {
  const { pipeline, homeFolder, env } = context
  return createSink(sink, {
    pipeline,
    query: query.name,
    name,
    fields: resultFields(query),
    keyColumns: keyColumns(query),
    workingFolder: process.cwd(),
    homeFolder,
    env,
    // The rows of another checkpoint are other rows.
    owner: `Spark ${checkpoint.folder}`,
    print: () => {},
  })
}

async function remove({ files }: SinkBatch): Promise<void> {
  for (const file of files) await rm(file, { force: true })
}
