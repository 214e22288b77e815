import { join } from 'node:path'
import { assert } from '../../src/base/assert.ts'
import { type Clock, VirtualClock } from '../../src/base/clock.ts'
import { readFileIfThere } from '../../src/base/file-io.ts'
import type { Random } from '../../src/base/random.ts'
import {
  count,
  countDistinct,
  decimal,
  defineSchema,
  jsonLines,
  logSource,
  type Pipeline,
  pipeline,
  stream,
  sum,
  text,
  timestamp,
  tumbling,
  value,
} from '../../src/index.ts'
import { readJournals } from '../../src/job/journal.ts'
import { MemoryLog } from '../../src/log/memory-log.ts'
import { type MemoryRow, MemoryStore, memorySink } from '../../src/sinks/memory-sink.ts'
import { readOutputLog } from '../../src/sinks/output-log.ts'
import { FaultyFiles } from './faulty-files.ts'
import { draftOf } from './log-records.ts'
import { openMemoryJob } from './memory-job.ts'

const START_MS = Date.UTC(2026, 0, 1)
const DELAY_MS = 30_000
const PAGES = ['/', '/a', '/b', '..', null]

const schema = defineSchema({
  at: timestamp({ format: 'epoch-ms', required: true }),
  page: text(),
  user: text({ cardinality: 'high' }),
  amount: decimal(2),
})

/** Two queries with delays of their own over one topic. */
function worldPlan(): Pipeline {
  const rows = stream(logSource('events'), schema)
  const pages = rows.withWatermark('at', `${DELAY_MS}ms`, { maxClockSkew: null }).groupBy('page')
  const total = rows.withWatermark('at', '90s', { maxClockSkew: null })
  return pipeline('world')
    .query(
      'pages',
      pages
        .window(tumbling('1 minute'))
        .aggregate({ views: count(), users: countDistinct('user'), revenue: sum('amount') }),
      [jsonLines('/out/pages', { partitionBy: value('page') })],
    )
    .query('total', total.window(tumbling('5 minutes')).aggregate({ views: count() }), [
      jsonLines('/out/total', { recordsPerFileMax: 1 }),
      jsonLines('/out/rolled', { name: 'total.rolled', roll: { every: '1s', bytes: 100 } }),
    ])
}

/** An event that passes validation, as it was written. */
interface WrittenEvent {
  readonly at: number
  readonly page: string | null
  readonly user: string
  readonly cents: number
}

/** A log, a disk and a store that outlive the processes that work on them; a seed decides what happens. */
export class JobWorld {
  readonly files: FaultyFiles = new FaultyFiles()
  readonly store: MemoryStore = new MemoryStore()
  readonly #random: Random
  readonly #log = new MemoryLog('world', new VirtualClock(START_MS))
  readonly #clock = new TickingClock(START_MS)
  readonly #newestMs: number[]
  readonly #events: WrittenEvent[] = []
  readonly #spoilt: string[] = []

  constructor(random: Random) {
    this.#random = random
    this.#newestMs = Array.from({ length: 1 + random.below(3) }, () => START_MS)
  }

  /** Each partition begins with an event: one that holds none when a job starts is idle, and what comes then may be late. */
  async createTopic(): Promise<void> {
    await this.#log.createTopic('events', { partitions: this.#newestMs.length })
    for (const partition of this.#newestMs.keys()) {
      await this.#log.append('events', partition, draftOf(this.#event(partition)))
    }
  }

  /** Events arrive: some behind others of their partition, but never by the delay; a few are no events. */
  async write(): Promise<void> {
    for (let batches = this.#random.below(20); batches > 0; batches--) {
      const partition = this.#random.below(this.#newestMs.length)
      const { end } = await this.#log.offsets('events', partition)
      const lines = Array.from({ length: 1 + this.#random.below(6) }, (_, index) => this.#line(partition, end + index))
      await this.#log.append('events', partition, draftOf(...lines))
    }
  }

  /** One process: recovers, works off what the log holds, and ends; with `flush` after closing every window. */
  async live(flush: boolean): Promise<void> {
    const random = this.#random
    const job = await openMemoryJob({
      plan: worldPlan(),
      log: this.#log,
      clock: this.#clock,
      disk: this.files,
      settings: {
        snapshotIntervalMs: random.pick([0, 100, 1_000_000]),
        rowsPerEpochMax: random.pick([1, 8, 30, 1_000]),
        prefetchBytesMax: random.pick([1, 500, 1 << 20]),
        flushAtEnd: flush,
      },
      views: [{ query: 'pages', sink: memorySink({ name: 'pages.store' }, this.store) }],
    })
    await job.run()
  }

  /** Rows of the epochs that `_log` lists, by query; each listed file must be there. */
  async filedRows(): Promise<string[]> {
    const rows: string[] = []
    for (const query of ['pages', 'total', 'rolled']) {
      const folder = join('/out', query)
      for (const { files } of await readOutputLog(folder, this.files)) {
        for (const file of files) {
          const bytes = await readFileIfThere(join(folder, file.path), this.files)
          assert(bytes?.length === file.bytes, `${file.path} is there`)
          const lines = Buffer.from(bytes).toString().trimEnd().split('\n')
          rows.push(...lines.map((line) => rowText(query, new Map(Object.entries(JSON.parse(line) as object)))))
        }
      }
    }
    return rows.sort()
  }

  /** Rows that the store has, which sees one of the queries. */
  storedRows(): string[] {
    return this.store.rows.map((row) => rowText('pages', row)).sort()
  }

  /** Numbers of the epochs that the journals on the disk have plans for, as often as they are there, and what is planned. */
  async plannedEpochs(): Promise<(readonly [number, string])[]> {
    if (!(await this.files.readdir('/')).includes('checkpoint')) return []
    const { records } = await readJournals('/checkpoint', this.files)
    return records.flatMap((record) =>
      record.type === 'plan' ? [[record.plan.epoch, JSON.stringify(record.plan)] as const] : [],
    )
  }

  /** What has become of rows that are no events: `<partition> <offset> <fate>`. */
  async deadLetters(): Promise<string[]> {
    const names = await this.files.readdir('/dead').catch(() => [])
    const letters: string[] = []
    for (const name of names) {
      const text = Buffer.from(this.files.content(`/dead/${name}`)).toString()
      for (const line of text.split('\n').filter((one) => one !== '')) {
        const { partition, offset, fate } = JSON.parse(line) as Record<string, unknown>
        letters.push(`${partition} ${offset} ${fate}`)
      }
    }
    return letters.sort()
  }

  /** All rows that the events written so far amount to, counted one by one. */
  expectedRows(): string[] {
    const rows: string[] = []
    for (const [query, sizeMs, key] of [
      ['pages', 60_000, (one: WrittenEvent) => one.page],
      ['total', 300_000, () => null],
      ['rolled', 300_000, () => null],
    ] as const) {
      const groups = new Map<string, WrittenEvent[]>()
      for (const one of this.#events) {
        const group = JSON.stringify([Math.floor(one.at / sizeMs) * sizeMs, key(one)])
        groups.set(group, [...(groups.get(group) ?? []), one])
      }
      for (const [group, events] of groups) {
        const [start, page] = JSON.parse(group) as [number, string | null]
        const users = new Set(events.map((one) => one.user)).size
        const revenue = events.reduce((cents, one) => cents + one.cents, 0) / 100
        const pageValues = query === 'pages' ? { page, views: events.length, users, revenue } : { views: events.length }
        rows.push(rowText(query, new Map(Object.entries({ window_start: start, ...pageValues }))))
      }
    }
    return rows.sort()
  }

  expectedDeadLetters(): string[] {
    return this.#spoilt.toSorted()
  }

  #line(partition: number, offset: number): string {
    const random = this.#random
    if (random.chance(0.05)) {
      const malformed = random.chance(0.5)
      this.#spoilt.push(`events-${partition} ${offset} ${malformed ? 'malformed' : 'invalid'}`)
      return malformed ? '{"at":' : '{"page":"/a"}'
    }
    return this.#event(partition)
  }

  #event(partition: number): string {
    const random = this.#random
    const newestMs = this.#newestMs[partition] as number
    const at = random.chance(0.4) ? newestMs - random.below(DELAY_MS) : newestMs + random.below(25_000)
    this.#newestMs[partition] = Math.max(newestMs, at)
    const one = { at, page: random.pick(PAGES), user: `u${random.below(5)}`, cents: random.below(1_000) }
    this.#events.push(one)
    return JSON.stringify({ at, page: one.page, user: one.user, amount: one.cents / 100 })
  }
}

/** Goes on by a millisecond each time it is looked at. */
class TickingClock extends VirtualClock implements Clock {
  override now(): number {
    this.advance(1)
    return super.now()
  }
}

function rowText(query: string, row: MemoryRow): string {
  const start = row.get('window_start')
  const startMs = typeof start === 'string' ? Date.parse(start) : Number(start)
  const cells = ['page', 'views', 'users', 'revenue'].flatMap((name) => (row.has(name) ? [row.get(name)] : []))
  return `${query} ${new Date(startMs).toISOString()} ${JSON.stringify(cells)}`
}
