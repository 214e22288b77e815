import { RecordWalk } from '../../src/batch/record-walk.ts'
import { CLICK_EVENT_TYPES } from '../../src/event/click-event.ts'
import { PLANTS, type Plant } from '../../src/generator/generated-event.ts'
import type { Truth } from '../../src/generator/truth.ts'
import type { Log } from '../../src/log/log.ts'
import { RecordBatchBuilder } from '../../src/log/record-batch-builder.ts'

/** The values of all records, by partition and offset. */
export async function readValues(log: Log, topic: string): Promise<Uint8Array[][]> {
  const description = await log.describeTopic(topic)
  const partitions: Uint8Array[][] = []
  for (const [partition, { start, end }] of (description?.offsets ?? []).entries()) {
    const values: Uint8Array[] = []
    // Offsets are not counts: the marks of transactions have some, too.
    for (let position = start; position < end; ) {
      for (const { bytes, endOffset } of await log.read(topic, partition, position, 1 << 20)) {
        position = endOffset
        const walk = new RecordWalk()
        walk.begin(bytes, bytes.length)
        while (walk.next()) values.push(bytes.slice(walk.valueStart, walk.valueStart + walk.valueLength))
      }
    }
    partitions.push(values)
  }
  return partitions
}

/** Creates a topic like another one that holds only the first so many records of each partition, as a crash may leave it. */
export async function copyCut(from: Log, topic: string, ends: readonly number[], to: Log): Promise<void> {
  const description = await from.describeTopic(topic)
  if (description === undefined) throw new Error(`no topic ${topic}`)
  await to.createTopic(topic, description.settings)
  const values = await readValues(from, topic)
  for (const [partition, end] of ends.entries()) {
    const builder = new RecordBatchBuilder()
    for (const value of values[partition].slice(0, end)) builder.add(null, value, 0)
    if (builder.recordCount > 0) await to.append(topic, partition, builder.finish())
  }
}

/** What counts as a row here: all but what was spoiled. */
export const VALID: readonly Plant[] = PLANTS.filter((plant) => plant !== 'malformed' && plant !== 'invalid')

/** What a topic holds, counted from its bytes or told by the generator. */
export interface Recount {
  readonly malformed: number
  readonly invalid: number
  readonly valid: number
  readonly byType: Readonly<Record<string, number>>
  readonly revenueCents: number
  readonly users: number
  readonly sessions: number
  /** `window start | page` -> events, page views, purchases, revenue in cents, users, sessions. */
  readonly pages: ReadonlyMap<string, readonly number[]>
}

/** Counts what the bytes say, the slow and obvious way: with `JSON.parse`, sets and texts. */
export function recount(values: readonly Uint8Array[], windowSizeMs: number): Recount {
  const events = values.map(parsed)
  const valid = events.filter((event) => event !== undefined).filter(isValid)
  const groups = Map.groupBy(valid, (event) => {
    const windowStartMs = Math.floor(Date.parse(event['event_time']) / windowSizeMs) * windowSizeMs
    return `${windowStartMs} | ${event['page_url']}`
  })
  const malformed = events.filter((event) => event === undefined).length
  return {
    malformed,
    invalid: events.length - malformed - valid.length,
    valid: valid.length,
    byType: Object.fromEntries(
      [...Map.groupBy(valid, (event) => event['event_type'])].map(([t, all]) => [t, all.length]),
    ),
    revenueCents: cents(valid),
    users: distinct(valid, 'user_id'),
    sessions: distinct(valid, 'session_id'),
    pages: new Map(
      [...groups].map(([key, all]) => [
        key,
        [
          all.length,
          all.filter((event) => event['event_type'] === 'page_view').length,
          all.filter((event) => event['event_type'] === 'purchase').length,
          cents(all),
          distinct(all, 'user_id'),
          distinct(all, 'session_id'),
        ],
      ]),
    ),
  }
}

/** What the generator tells of `VALID` rows, as `recount` puts it. */
export function asRecount({ rowsByPlant, counted, byType, revenueCents, users, sessions, pages }: Truth): Recount {
  return {
    malformed: rowsByPlant.malformed,
    invalid: rowsByPlant.invalid,
    valid: counted,
    byType: Object.fromEntries(Object.entries(byType).filter(([, count]) => count > 0)),
    revenueCents,
    users,
    sessions,
    pages: new Map(
      pages.map((page) => [
        `${page.windowStartMs} | ${page.pageUrl}`,
        [page.events, page.pageViews, page.purchases, page.revenueCents, page.users, page.sessions],
      ]),
    ),
  }
}

export type ParsedEvent = Record<string, string>

/** The event in these bytes; undefined when they are none: malformed. */
export function parsed(value: Uint8Array): ParsedEvent | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(value)
    const event: unknown = JSON.parse(text)
    if (typeof event !== 'object' || event === null || Array.isArray(event) || depth(event) > 32) return undefined
    return event as ParsedEvent
  } catch {
    return undefined
  }
}

function isValid(event: ParsedEvent): boolean {
  const time = event['event_time']
  const realTime = !Number.isNaN(Date.parse(time)) && new Date(time).toISOString() === time
  const amount: unknown = event['amount']
  const amountFits = amount === undefined ? event['event_type'] !== 'purchase' : typeof amount === 'number'
  return (
    realTime && amountFits && typeof event['user_id'] === 'string' && CLICK_EVENT_TYPES.includes(event['event_type'])
  )
}

function cents(events: readonly ParsedEvent[]): number {
  return events.reduce((sum, event) => sum + Math.round(Number(event['amount'] ?? 0) * 100), 0)
}

function distinct(events: readonly ParsedEvent[], field: string): number {
  return new Set(events.map((event) => event[field])).size
}

function depth(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depth))
}
