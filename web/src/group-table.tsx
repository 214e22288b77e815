import type { VNode } from 'preact'
import type { ColumnView, QueryView, WindowRows } from '../../src/server/api.ts'
import { Cell, type CellValue } from './cell.tsx'
import { filterText } from './selection.ts'
import './group-table.css'

interface GroupTableProps {
  readonly query: QueryView
  readonly window: WindowRows
  readonly caption: string
  /** Rows that the table takes up even when there are fewer, so that nothing below it moves. */
  readonly rowCount: number
}

type Row = readonly CellValue[]

/** More would leave no room for the keys; the sinks have them all. */
const VALUES_MAX = 5
const ROW_PX = 26

/** The largest groups of a window: keys with a bar for the first value, then the values. */
export function GroupTable({ query, window, caption, rowCount }: GroupTableProps): VNode {
  const columns = query.columns.filter(({ role }) => role !== 'window')
  const keys = indexesOf(columns, 'key')
  const values = indexesOf(columns, 'value').slice(0, VALUES_MAX)
  const ranked = values[0] ?? -1
  const rows = window.rows.filter((row) => matches(row, keys, filterText.value)).slice(0, rowCount)
  const largest = Math.max(...rows.map((row) => numeric(row[ranked])), 0)
  return (
    <div
      class={`groups ${values.length > 3 ? 'groups-dense' : ''}`}
      style={{ minHeight: `${(rowCount + 1) * ROW_PX}px` }}
    >
      <table>
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{keys.map((index) => columns[index]?.name).join(', ') || 'all rows'}</th>
            {values.map((index) => (
              <th scope="col" class="number" key={index} title={columns[index]?.name}>
                {columns[index]?.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, place) => (
            <tr key={place} data-test="group">
              <th scope="row" class="key">
                <div class="share" style={{ transform: `scaleX(${share(row[ranked], largest)})` }} />
                <Keys row={row} keys={keys} columns={columns} />
              </th>
              {values.map((index) => (
                <td class="number" key={index}>
                  <Cell value={row[index]} type={columns[index]?.type ?? ''} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface KeysProps {
  readonly row: Row
  readonly keys: readonly number[]
  readonly columns: readonly ColumnView[]
}

/** A number that is a key is a name, not an amount: its digits stay together. */
function keyValue(value: CellValue | undefined, type: string | undefined): CellValue | undefined {
  return typeof value === 'number' && type !== 'timestamp' ? String(value) : value
}

/** The key of a group; of several columns, the later ones are set apart. */
export function Keys({ row, keys, columns }: KeysProps): VNode {
  if (keys.length === 0) return <span class="key-text muted">all</span>
  return (
    <span class="key-text">
      {keys.map((index, place) => (
        <span key={index} class={place === 0 ? '' : 'key-more'}>
          <Cell value={keyValue(row[index], columns[index]?.type)} type={columns[index]?.type ?? ''} />
        </span>
      ))}
    </span>
  )
}

/** Positions of a role's columns within a row. */
export function indexesOf(columns: readonly ColumnView[], role: ColumnView['role']): number[] {
  return columns.flatMap((column, index) => (column.role === role ? [index] : []))
}

function matches(row: Row, keys: readonly number[], filter: string): boolean {
  const wanted = filter.trim().toLowerCase()
  return wanted === '' || keys.some((index) => String(row[index]).toLowerCase().includes(wanted))
}

function share(value: CellValue | undefined, largest: number): number {
  return largest > 0 ? Math.max(0, numeric(value) / largest) : 0
}

function numeric(value: CellValue | undefined): number {
  return typeof value === 'number' ? value : 0
}
