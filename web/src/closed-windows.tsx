import { Fragment, type VNode } from 'preact'
import type { JobStatus, QueryView, WindowRows } from '../../src/server/api.ts'
import { Cell } from './cell.tsx'
import { formatCount, formatWindow } from './format.ts'
import { GroupTable, indexesOf, Keys } from './group-table.tsx'
import { NoResults } from './no-results.tsx'
import { expandedWindowMs, query } from './selection.ts'
import './closed-windows.css'

const WINDOWS = 6
const ROWS_EXPANDED = 10

/** What has become final: each closed window with its leading group, the others on request. */
export function ClosedWindows({ job }: { readonly job: JobStatus }): VNode {
  const shown = query.value
  const closed = (shown?.windows ?? []).filter((window) => window.closed).slice(0, WINDOWS)
  return (
    <section class="closed" aria-labelledby="closed">
      <div class="section-head">
        <h2 id="closed">Closed windows</h2>
        {shown && <p class="muted">{formatCount(shown.rowsEmitted)} rows emitted</p>}
      </div>
      {shown && closed.length > 0 ? (
        <WindowsTable query={shown} windows={closed} />
      ) : (
        <NoResults job={job} query={shown} kind="closed" />
      )}
    </section>
  )
}

function WindowsTable({
  query,
  windows,
}: {
  readonly query: QueryView
  readonly windows: readonly WindowRows[]
}): VNode {
  const columns = query.columns.filter(({ role }) => role !== 'window')
  const keys = indexesOf(columns, 'key')
  const [value = -1] = indexesOf(columns, 'value')
  return (
    <table class="windows">
      <caption class="visually-hidden">Closed windows of {query.name}, newest first</caption>
      <thead>
        <tr>
          <th scope="col">window</th>
          <th scope="col" class="number">
            groups
          </th>
          <th scope="col">largest</th>
          <th scope="col" class="number">
            {columns[value]?.name}
          </th>
        </tr>
      </thead>
      <tbody>
        {windows.map((window) => (
          <Fragment key={window.startMs}>
            <tr data-test="closed-window">
              <th scope="row">
                <Disclosure window={window} />
              </th>
              <td class="number">{formatCount(window.groups)}</td>
              <td class="key">{window.rows[0] && <Keys row={window.rows[0]} keys={keys} columns={columns} />}</td>
              <td class="number">
                {window.rows[0] && <Cell value={window.rows[0][value]} type={columns[value]?.type ?? ''} />}
              </td>
            </tr>
            {expandedWindowMs.value === window.startMs && <Expanded query={query} window={window} />}
          </Fragment>
        ))}
      </tbody>
    </table>
  )
}

function Disclosure({ window: { startMs, endMs } }: { readonly window: WindowRows }): VNode {
  const expanded = expandedWindowMs.value === startMs
  return (
    <button
      type="button"
      class="disclosure"
      aria-expanded={expanded}
      onClick={() => {
        expandedWindowMs.value = expanded ? null : startMs
      }}
    >
      {formatWindow(startMs, endMs)}
    </button>
  )
}

function Expanded({ query, window }: { readonly query: QueryView; readonly window: WindowRows }): VNode {
  return (
    <tr class="expanded" data-test="expanded">
      <td colSpan={4}>
        <GroupTable
          query={query}
          window={window}
          caption={`Groups of ${formatWindow(window.startMs, window.endMs)}`}
          rowCount={Math.min(window.rows.length, ROWS_EXPANDED)}
        />
      </td>
    </tr>
  )
}
