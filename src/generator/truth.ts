import { assert } from '../base/assert.ts'
import { DAMAGE_KINDS } from './damage.ts'
import {
  EVENT_TYPES,
  type GeneratedEvent,
  INVALID,
  MALFORMED,
  PAGE_VIEW,
  PLANTS,
  type Plant,
  PURCHASE,
} from './generated-event.ts'
import type { Origin } from './origin.ts'
import { RowSequence } from './row-sequence.ts'
import { CATEGORIES, FIRST_PRODUCT, sitePaths } from './site-map.ts'

/**
 * What is in a generated topic, known without reading it.
 *
 * What becomes of a plant is certain for `clean`, `malformed` and `invalid`, for `out-of-order` when its bound is below the watermark's
 * delay, for `duplicate` with a dedupe that covers `duplicateWithinMs`, and for `fast-clock` with a bound on skew well below
 * `fastClockMs`. `late` rows are late for certain only once event time is further than `lateMaxMs` into the run, and when `lateMinMs`
 * exceeds delay and window size by more than an epoch can hold: in the first minutes some are still accepted.
 */
export interface Truth {
  /** Rows in all partitions, whatever was planted. */
  readonly rows: number
  readonly rowsByPlant: Readonly<Record<Plant, number>>
  /** For each partition, in order. */
  readonly partitions: readonly Readonly<Record<Plant, number>>[]
  /** Rows by kind of damage. */
  readonly damaged: Readonly<Record<string, number>>
  /** Everything from here on is about counted rows only. */
  readonly counted: number
  readonly byType: Readonly<Record<string, number>>
  readonly revenueCents: number
  readonly users: number
  readonly sessions: number
  readonly minEventTimeMs: number
  readonly maxEventTimeMs: number
  /** One per window and page that has rows, by window, then by page number. */
  readonly pages: readonly PageTruth[]
}

/** What is true of one page in one window. */
export interface PageTruth {
  readonly windowStartMs: number
  readonly pageUrl: string
  readonly events: number
  readonly pageViews: number
  readonly purchases: number
  readonly revenueCents: number
  readonly users: number
  readonly sessions: number
}

/** What to count, and in which windows. */
export interface TruthOptions {
  /** Tumbling windows of this size, aligned to 1970. */
  readonly windowSizeMs: number
  /** Rows to count, by what was planted; those that a pipeline without dedupe accepts by default. */
  readonly counted?: readonly Plant[]
}

/**
 * Walks the sequence anew, without its bytes, and counts the rows that lie below the partitions' end offsets.
 */
export function truth(origin: Origin, endOffsets: readonly number[], options: TruthOptions): Truth {
  const { settings, startTimeMs } = origin
  assert(endOffsets.length === settings.partitions, 'there is an end offset for each partition')
  const counted = options.counted ?? ['clean', 'out-of-order', 'duplicate']
  const isCounted = PLANTS.map((plant) => counted.includes(plant))
  const sequence = new RowSequence(settings, startTimeMs)
  const positions = new Float64Array(settings.partitions)
  const count = new Count(options.windowSizeMs, settings.partitions, settings.productsPerCategory)
  let left = endOffsets.reduce((sum, end) => sum + end, 0)
  while (left > 0) {
    const row = sequence.next()
    if (row.partition < 0) {
      const silent = settings.silentPartition
      assert(positions[silent] >= endOffsets[silent], 'a partition that fell silent has no more rows than were sent')
      continue
    }
    const position = positions[row.partition]++
    if (position >= endOffsets[row.partition]) continue
    left--
    count.add(row, isCounted[row.plant])
  }
  return count.result(sitePaths(settings.productsPerCategory))
}

class Count {
  readonly #windowSizeMs: number
  readonly #pageCount: number
  readonly #plants: Float64Array[]
  readonly #damage = PLANTS.map(() => new Float64Array(16))
  readonly #types = new Float64Array(EVENT_TYPES.length)
  readonly #users = new Set<number>()
  readonly #sessions = new Set<number>()
  /** By number of window times number of pages plus page. */
  readonly #pages = new Map<number, PageCount>()
  #revenueCents = 0
  #minTimeMs = Number.POSITIVE_INFINITY
  #maxTimeMs = Number.NEGATIVE_INFINITY

  constructor(windowSizeMs: number, partitions: number, productsPerCategory: number) {
    this.#windowSizeMs = windowSizeMs
    this.#pageCount = FIRST_PRODUCT + productsPerCategory * CATEGORIES.length
    this.#plants = Array.from({ length: partitions }, () => new Float64Array(PLANTS.length))
  }

  add(row: GeneratedEvent, counted: boolean): void {
    this.#plants[row.partition][row.plant]++
    if (row.plant === MALFORMED || row.plant === INVALID) this.#damage[row.plant][row.damage]++
    if (!counted) return
    this.#types[row.type]++
    this.#revenueCents += row.amountCents
    this.#users.add(row.user)
    this.#sessions.add(row.session)
    this.#minTimeMs = Math.min(this.#minTimeMs, row.timeMs)
    this.#maxTimeMs = Math.max(this.#maxTimeMs, row.timeMs)
    const key = Math.floor(row.timeMs / this.#windowSizeMs) * this.#pageCount + row.page
    let page = this.#pages.get(key)
    if (page === undefined) {
      page = { events: 0, pageViews: 0, purchases: 0, revenueCents: 0, users: new Set(), sessions: new Set() }
      this.#pages.set(key, page)
    }
    page.events++
    if (row.type === PAGE_VIEW) page.pageViews++
    if (row.type === PURCHASE) page.purchases++
    page.revenueCents += row.amountCents
    page.users.add(row.user)
    page.sessions.add(row.session)
  }

  result(paths: readonly string[]): Truth {
    const partitions = this.#plants.map((plants) => byName(PLANTS, plants))
    const plants = PLANTS.map((plant) => partitions.reduce((sum, partition) => sum + partition[plant], 0))
    const keys = [...this.#pages.keys()].sort((left, right) => left - right)
    return {
      rows: plants.reduce((sum, rows) => sum + rows, 0),
      rowsByPlant: byName(PLANTS, plants),
      partitions,
      damaged: {
        ...byName(DAMAGE_KINDS.malformed, this.#damage[MALFORMED]),
        ...byName(DAMAGE_KINDS.invalid, this.#damage[INVALID]),
      },
      counted: this.#types.reduce((sum, rows) => sum + rows, 0),
      byType: byName(EVENT_TYPES, this.#types),
      revenueCents: this.#revenueCents,
      users: this.#users.size,
      sessions: this.#sessions.size,
      minEventTimeMs: this.#minTimeMs,
      maxEventTimeMs: this.#maxTimeMs,
      pages: keys.map((key) => this.#pageTruth(key, paths)),
    }
  }

  #pageTruth(key: number, paths: readonly string[]): PageTruth {
    const window = Math.floor(key / this.#pageCount)
    const { users, sessions, ...counts } = this.#pages.get(key) as PageCount
    return {
      windowStartMs: window * this.#windowSizeMs,
      pageUrl: paths[key - window * this.#pageCount],
      ...counts,
      users: users.size,
      sessions: sessions.size,
    }
  }
}

interface PageCount {
  events: number
  pageViews: number
  purchases: number
  revenueCents: number
  readonly users: Set<number>
  readonly sessions: Set<number>
}

function byName<Name extends string>(names: readonly Name[], values: ArrayLike<number>): Record<Name, number> {
  return Object.fromEntries(names.map((name, index) => [name, values[index]])) as Record<Name, number>
}
