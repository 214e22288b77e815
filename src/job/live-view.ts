import { cellValue } from '../batch/cell.ts'
import { type ResultBatch, RowChange } from '../batch/result-batch.ts'
import type { QueryOutput } from '../engine/engine.ts'
import { SESSION_START, WINDOW_START } from '../plan/node.ts'
import type { ColumnView, WindowRows } from './status.ts'

type CellValue = WindowRows['rows'][number][number]

const CLOSED_WINDOWS_KEPT = 6
const ROWS_SHOWN = 12
/** Groups kept per window; beyond, the smaller half is forgotten, which a list of the largest hardly notices. */
const GROUPS_MAX = 5_000

/**
 * What the page shows of a query: its open windows as they stand, and those that closed last. Fed with update-mode rows, which carry
 * each changed group's values so far; a view that keeps nothing across a restart.
 */
export class LiveView {
  readonly columns: readonly ColumnView[]
  readonly #windows = new Map<number, LiveWindow>()
  readonly #keyIndexes: readonly number[]
  readonly #shownIndexes: readonly number[]
  readonly #rankIndex: number
  readonly #windowed: boolean

  constructor(output: QueryOutput) {
    this.#windowed = windowed(output)
    this.columns = output.fields.map((field, index) => ({
      name: field.name,
      type: field.type,
      role: role(output, index),
    }))
    this.#keyIndexes = indexesOf(this.columns, 'key')
    this.#shownIndexes = this.columns.flatMap((column, index) => (column.role === 'window' ? [] : [index]))
    const firstValue = indexesOf(this.columns, 'value')[0]
    this.#rankIndex = firstValue === undefined ? 0 : this.#shownIndexes.indexOf(firstValue)
  }

  /** Takes in the update-mode rows of an epoch. Where there are windows, the first two columns are their bounds; else all is one, at 0. */
  update(rows: ResultBatch): void {
    for (let row = 0; row < rows.rowCount; row++) {
      const cell = (index: number): CellValue => {
        const column = rows.columns[index]
        const field = rows.fields[index]
        return column && field ? cellValue(column, field, row) : null
      }
      const window = this.#windowed ? this.#window(cell(0) as number, cell(1) as number) : this.#window(0, 0)
      const key = JSON.stringify(this.#keyIndexes.map(cell))
      const change = rows.changes?.[row] ?? RowChange.updated
      if (change === RowChange.deleted) window.groups.delete(key)
      else window.groups.set(key, this.#shownIndexes.map(cell))
      if (change === RowChange.final) window.closed = true
    }
    for (const window of this.#windows.values()) this.#limit(window)
    this.#forgetOldWindows()
  }

  /** Newest window first. */
  windows(): WindowRows[] {
    return [...this.#windows.values()]
      .sort((left, right) => right.startMs - left.startMs)
      .map((window) => ({
        startMs: window.startMs,
        endMs: window.endMs,
        closed: window.closed,
        groups: window.groups.size + window.forgotten,
        rows: this.#ranked(window).slice(0, ROWS_SHOWN),
      }))
  }

  #window(startMs: number, endMs: number): LiveWindow {
    let window = this.#windows.get(startMs)
    if (!window) {
      window = { startMs, endMs, closed: false, groups: new Map(), forgotten: 0 }
      this.#windows.set(startMs, window)
    }
    return window
  }

  #ranked(window: LiveWindow): CellValue[][] {
    const rank = this.#rankIndex
    return [...window.groups.values()].sort((left, right) => numeric(right[rank]) - numeric(left[rank]))
  }

  #limit(window: LiveWindow): void {
    if (window.groups.size <= GROUPS_MAX) return
    const rank = this.#rankIndex
    const entries = [...window.groups].sort(([, left], [, right]) => numeric(right[rank]) - numeric(left[rank]))
    for (const [key] of entries.slice(GROUPS_MAX / 2)) {
      window.groups.delete(key)
      window.forgotten++
    }
  }

  #forgetOldWindows(): void {
    const closed = [...this.#windows.values()].filter((window) => window.closed)
    closed.sort((left, right) => right.startMs - left.startMs)
    for (const window of closed.slice(CLOSED_WINDOWS_KEPT)) this.#windows.delete(window.startMs)
  }
}

interface LiveWindow {
  readonly startMs: number
  readonly endMs: number
  readonly groups: Map<string, CellValue[]>
  closed: boolean
  forgotten: number
}

function role(output: QueryOutput, index: number): ColumnView['role'] {
  const name = output.fields[index]?.name ?? ''
  if (index < 2 && windowed(output)) return 'window'
  return output.keyColumns.includes(name) ? 'key' : 'value'
}

/** A global window and rows as they are have no bounds. */
function windowed({ keyColumns }: QueryOutput): boolean {
  return keyColumns[0] === WINDOW_START || keyColumns[0] === SESSION_START
}

function indexesOf(columns: readonly ColumnView[], wanted: ColumnView['role']): number[] {
  return columns.flatMap((column, index) => (column.role === wanted ? [index] : []))
}

function numeric(value: CellValue | undefined): number {
  return typeof value === 'number' ? value : 0
}
