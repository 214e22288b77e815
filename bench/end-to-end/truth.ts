import { MS_PER_MINUTE } from '../../src/base/time.ts'
import { RowSequence } from '../../src/generator/row-sequence.ts'
import { sitePaths } from '../../src/generator/site-map.ts'
import { AGENTS, COUNTRIES } from '../../src/generator/visitors.ts'
import { SETTINGS, START_MS } from './topic.ts'

/** What is true of a group: events, and different pages where the query counts them. */
export interface Group {
  events: number
  pages?: number
}

/** Groups of a query by `window start, ms | key | key`. */
export type Groups = Map<string, Group>

/** The names of the queries' outputs, with the columns of their keys. */
export const KEYS: Readonly<Record<string, readonly string[]>> = {
  page_views: ['page_url'],
  devices: ['device', 'browser'],
  visitors: ['user_id'],
}

/**
 * What has to come out, by query: counted from the numbers that the generator makes events of, with maps and sets, not from bytes and by
 * nothing that is measured.
 */
export function expectedGroups(events: number): Readonly<Record<string, Groups>> {
  const paths = sitePaths(SETTINGS.productsPerCategory)
  const pageViews: Groups = new Map()
  const devices: Groups = new Map()
  const visitors = new Map<string, { events: number; pages: Set<number> }>()
  const sequence = new RowSequence(SETTINGS, START_MS)
  for (let count = 0; count < events; count++) {
    const { timeMs, page, visitor, user } = sequence.next()
    const path = paths[page] as string
    const minute = timeMs - (timeMs % MS_PER_MINUTE)
    for (let start = minute - 4 * MS_PER_MINUTE; start <= minute; start += MS_PER_MINUTE) {
      addOne(pageViews, `${start}|${path}`)
    }
    const start = timeMs - (timeMs % (5 * MS_PER_MINUTE))
    const [{ device, browser }] = AGENTS[Math.floor(visitor / COUNTRIES.length)] as (typeof AGENTS)[number]
    addOne(devices, `${start}|${device}|${browser}`)
    const key = `${start}|u-${String(user).padStart(7, '0')}`
    const seen = visitors.get(key) ?? { events: 0, pages: new Set() }
    visitors.set(key, seen)
    seen.events++
    seen.pages.add(page)
  }
  const counted = [...visitors].map(([key, seen]): [string, Group] => [
    key,
    { events: seen.events, pages: seen.pages.size },
  ])
  return { page_views: pageViews, devices, visitors: new Map(counted) }
}

function addOne(groups: Groups, key: string): void {
  const group = groups.get(key)
  if (group) group.events++
  else groups.set(key, { events: 1 })
}
