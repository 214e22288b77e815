import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type { QueryView, WindowRows } from '../../src/server/api.ts'
import { status } from './feed.ts'

/** What the reader has chosen to see. */
export const chosenQuery: Signal<string | null> = signal(null)
export const windowKind: Signal<'open' | 'closed'> = signal('open')
export const filterText: Signal<string> = signal('')
export const expandedWindowMs: Signal<number | null> = signal(null)

/** The chosen query; without a choice, the first one that is grouped by a text. */
export const query: ReadonlySignal<QueryView | null> = computed(() => {
  const queries = status.value?.queries ?? []
  const chosen = queries.find(({ name }) => name === chosenQuery.value)
  return chosen ?? queries.find(isGroupedByText) ?? queries[0] ?? null
})

/** The newest window of the chosen kind. */
export function newestWindow(from: QueryView, kind: 'open' | 'closed'): WindowRows | null {
  return from.windows.find(({ closed }) => closed === (kind === 'closed')) ?? null
}

/** Whether results come by windows. A query says how large they are only while it has some. */
export function isWindowed({ windowSizeMs, columns }: QueryView): boolean {
  return windowSizeMs !== null || columns.some(({ role }) => role === 'window')
}

function isGroupedByText({ columns }: QueryView): boolean {
  return columns.some(({ role, type }) => role === 'key' && type === 'string')
}
