import type { VNode } from 'preact'
import type { JobStatus, QueryView } from '../../src/server/api.ts'
import { isActive } from './feed.ts'
import { formatCount, formatWindow } from './format.ts'
import { GroupTable } from './group-table.tsx'
import { FILTER_ID } from './keyboard.ts'
import { NoResults } from './no-results.tsx'
import { chosenQuery, filterText, isWindowed, newestWindow, query, windowKind } from './selection.ts'
import './top-groups.css'

const ROWS = 10

/** The largest groups of the newest window, while it fills or after it has closed. */
export function TopGroups({ job }: { readonly job: JobStatus }): VNode {
  const shown = query.value
  const kind = windowKind.value
  // At the end nothing is open any more, and what closed last is what the reader wants to see.
  const window = shown && (newestWindow(shown, kind) ?? (isActive(job) ? null : newestWindow(shown, 'closed')))
  return (
    <section class="top" aria-labelledby="top">
      <div class="section-head">
        <h2 id="top">{shown ? title(shown) : 'Live results'}</h2>
        {shown && window && (
          <p class="window-name" data-test="window">
            {isWindowed(shown) ? formatWindow(window.startMs, window.endMs) : 'all time'}
            <span class={`chip ${window.closed ? 'chip-final' : 'chip-open'}`}>
              {window.closed ? 'final' : 'provisional'}
            </span>
          </p>
        )}
      </div>
      <Controls job={job} />
      {shown && window ? (
        <GroupTable query={shown} window={window} caption={`${shown.name}, largest groups`} rowCount={ROWS} />
      ) : (
        <NoResults job={job} query={shown} kind={kind} />
      )}
      {shown && window && (
        <p class="muted footnote">{countLine(window.rows.length, window.groups, filterText.value)}</p>
      )}
    </section>
  )
}

function Controls({ job }: { readonly job: JobStatus }): VNode {
  return (
    <div class="controls">
      <select
        aria-label="Query"
        value={query.value?.name ?? ''}
        onChange={(event) => {
          chosenQuery.value = event.currentTarget.value
        }}
      >
        {job.queries.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <fieldset class="switch">
        <legend class="visually-hidden">Window</legend>
        <WindowKind kind="open" label="Open" />
        <WindowKind kind="closed" label="Last closed" />
      </fieldset>
      <label class="filter">
        <span class="visually-hidden">Filter groups</span>
        <input
          id={FILTER_ID}
          type="search"
          placeholder="Filter"
          maxLength={200}
          value={filterText.value}
          onInput={(event) => {
            filterText.value = event.currentTarget.value
          }}
        />
        <kbd>/</kbd>
      </label>
    </div>
  )
}

function WindowKind({ kind, label }: { readonly kind: 'open' | 'closed'; readonly label: string }): VNode {
  return (
    <button
      type="button"
      aria-pressed={windowKind.value === kind}
      onClick={() => {
        windowKind.value = kind
      }}
    >
      {label}
    </button>
  )
}

function title({ columns }: QueryView): string {
  const keys = columns.filter(({ role }) => role === 'key').map(({ name }) => name)
  return keys.length === 0 ? 'Live totals' : `Top ${keys.join(', ')}`
}

function countLine(shown: number, groups: number, filter: string): string {
  if (filter.trim() !== '') return `Filtering the ${formatCount(shown)} largest of ${formatCount(groups)} groups`
  return `${formatCount(groups)} ${groups === 1 ? 'group' : 'groups'} in this window`
}
