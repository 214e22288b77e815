import { NAIVE_AGGREGATES, type PlacedEvent } from './naive-aggregates.ts'

/** The windows that a time lies in, as [start, end). */
export type WindowsOf = (timeMs: number) => readonly (readonly [number, number])[]

/** The columns by which the laws group. */
export type KeyColumn = 'page' | 'n' | 'flag'

/** A result row by column name. */
export type ResultRow = Readonly<Record<string, unknown>>

/** Windows of one size, one beginning with each slide. */
export function slidingOf(sizeMs: number, slideMs: number): WindowsOf {
  return (timeMs) => {
    const windows: [number, number][] = []
    for (let start = Math.floor(timeMs / slideMs) * slideMs; start + sizeMs > timeMs; start -= slideMs) {
      windows.push([start, start + sizeMs])
    }
    return windows
  }
}

/** Stretches of time for which a calendar shows the same label, found by trying. */
export function labelled(timeZone: string, labelOf: (date: string) => string, lengthMaxMs: number): WindowsOf {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' })
  const label = (timeMs: number): string => labelOf(format.format(timeMs))
  const known = new Map<string, readonly [number, number]>()
  return (timeMs) => {
    const own = label(timeMs)
    const end = known.get(own)?.[1] ?? border(timeMs, timeMs + lengthMaxMs, (at) => label(at) !== own)
    const start = known.get(own)?.[0] ?? border(timeMs - lengthMaxMs, timeMs, (at) => label(at) === own)
    known.set(own, [start, end])
    return [[start, end]]
  }
}

/** The first time in (low, high] for which a test holds that holds at the end and not at the beginning. */
function border(low: number, high: number, test: (timeMs: number) => boolean): number {
  let [before, at] = [low, high]
  while (at - before > 1) {
    const middle = Math.floor((before + at) / 2)
    if (test(middle)) at = middle
    else before = middle
  }
  return at
}

/** All rows that a query over windows of a grid gives in the end, by identity. */
export function naiveWindows(
  events: readonly PlacedEvent[],
  keys: readonly KeyColumn[],
  windowsOf: WindowsOf,
): Map<string, ResultRow> {
  const groups = new Map<string, Group>()
  for (const event of events) {
    for (const [start, end] of windowsOf(event.ts)) {
      const bounds = Number.isFinite(end) ? { window_start: start, window_end: end } : {}
      const id = JSON.stringify([start, keyOf(event, keys)])
      const group: Group = groups.get(id) ?? { bounds, events: [] }
      groups.set(id, group)
      group.events.push(event)
    }
  }
  return new Map([...groups.values()].map((group) => naiveRow(group.bounds, group.events, keys)))
}

interface Group {
  readonly bounds: ResultRow
  readonly events: PlacedEvent[]
}

/** The same over sessions. */
export function naiveSessions(
  events: readonly PlacedEvent[],
  keys: readonly KeyColumn[],
  gapMs: number,
): Map<string, ResultRow> {
  const byKey = Map.groupBy(events, (event) => keyOf(event, keys))
  const rows = new Map<string, ResultRow>()
  for (const own of byKey.values()) {
    const ordered = [...own].sort((a, b) => a.ts - b.ts)
    for (let from = 0; from < ordered.length; ) {
      let to = from + 1
      while (to < ordered.length && ordered[to].ts - ordered[to - 1].ts <= gapMs) to++
      const [start, last] = [ordered[from].ts, ordered[to - 1].ts]
      const bounds = { session_start: start, session_end: last, duration_ms: last - start }
      const [id, row] = naiveRow(bounds, ordered.slice(from, to), keys)
      rows.set(id, row)
      from = to
    }
  }
  return rows
}

/** What tells rows of a result apart. */
export function identityOf(row: ResultRow, keys: readonly KeyColumn[]): string {
  return JSON.stringify([row['window_start'] ?? row['session_start'] ?? 0, keys.map((key) => row[key])])
}

function keyOf(event: PlacedEvent, keys: readonly KeyColumn[]): string {
  return JSON.stringify(keys.map((key) => event[key]))
}

function naiveRow(bounds: ResultRow, events: readonly PlacedEvent[], keys: readonly KeyColumn[]): [string, ResultRow] {
  const values = Object.entries(NAIVE_AGGREGATES).map(([name, [, naive]]) => [name, naive(events)])
  const own = Object.fromEntries(keys.map((key) => [key, (events[0] as PlacedEvent)[key]]))
  const row = { ...bounds, ...own, ...Object.fromEntries(values) }
  return [identityOf(row, keys), row]
}
