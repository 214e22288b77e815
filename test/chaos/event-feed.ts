import { appendFile } from 'node:fs/promises'
import { encodeText } from '../../src/base/bytes.ts'
import { Random } from '../../src/base/random.ts'
import type { Log } from '../../src/log/log.ts'
import { RecordBatchBuilder } from '../../src/log/record-batch-builder.ts'

/** Delay of the watermark of the pipelines that this feeds. */
export const DELAY_MS = 2_000
const PARTITIONS = 3
const STEP_MS = 20
const JITTER_MS = 1_500
const PAGES = 20
const START_MS = Date.UTC(2026, 0, 1)

/**
 * Events into a topic of the embedded log, and each as a line into a file that the oracle reads. Out of order, but never by more than
 * the delay, so that no correct run counts one as late; some are not JSON.
 */
export class EventFeed {
  readonly #log: Log
  readonly #rawFile: string
  readonly #random: Random
  #timeMs = START_MS
  #malformed = 0
  #sent = 0

  constructor(log: Log, rawFile: string, seed: number) {
    this.#log = log
    this.#rawFile = rawFile
    this.#random = new Random(seed)
  }

  get sent(): number {
    return this.#sent
  }

  /** Lines that no decoder takes. */
  get malformed(): number {
    return this.#malformed
  }

  async begin(): Promise<void> {
    await this.#log.createTopic('events', { partitions: PARTITIONS })
  }

  /** Sends events to every partition. */
  async send(count: number): Promise<void> {
    const lines: string[][] = Array.from({ length: PARTITIONS }, () => [])
    for (let index = 0; index < count; index++) {
      this.#timeMs += STEP_MS
      const malformed = this.#random.chance(0.002)
      if (malformed) this.#malformed++
      const line = malformed ? `{"broken ${this.#malformed}` : this.#event(this.#timeMs - this.#random.below(JITTER_MS))
      lines[this.#random.below(PARTITIONS)]?.push(line)
    }
    await this.#append(lines)
  }

  /** Moves time so far on that every window before closes. */
  async closeWindows(): Promise<void> {
    await this.#append(Array.from({ length: PARTITIONS }, () => [this.#event(this.#timeMs + 3_600_000)]))
  }

  #event(timeMs: number): string {
    const page = this.#random.chance(0.05) ? null : `/page/${this.#random.below(PAGES)}`
    const amount = this.#random.below(100_000) / 100
    return JSON.stringify({ event_time: new Date(timeMs).toISOString(), page_url: page, amount })
  }

  async #append(lines: readonly (readonly string[])[]): Promise<void> {
    for (const [partition, part] of lines.entries()) {
      if (part.length === 0) continue
      const builder = new RecordBatchBuilder()
      for (const line of part) builder.add(null, encodeText(line), Date.now())
      await this.#log.append('events', partition, builder.finish())
      this.#sent += part.length
    }
    await appendFile(
      this.#rawFile,
      lines
        .flat()
        .map((line) => `${line}\n`)
        .join(''),
    )
  }
}
