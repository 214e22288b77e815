import type { QueryView, WindowRows } from '../../src/server/api.ts'

/** A step of a funnel in one window. */
export interface FunnelStepView {
  readonly step: number
  readonly name: string
  readonly entered: number
  readonly converted: number
  readonly dropped: number
  /** Median time to the next step; null where nobody took it. */
  readonly medianMs: number | null
}

/** What the query `conversions` of a funnel tells of its last final window. */
export interface FunnelView {
  readonly name: string
  /** Null before there is one. */
  readonly window: WindowRows | null
  /** In order. */
  readonly steps: readonly FunnelStepView[]
}

const COLUMNS = ['step', 'step_name', 'entered', 'converted', 'dropped', 'median_seconds'] as const

/** A query as a funnel; null when it is none. */
export function funnelOf({ name, columns, windows }: QueryView): FunnelView | null {
  const places = columns.filter(({ role }) => role !== 'window').map((column) => column.name)
  const [step = -1, title = -1, entered = -1, converted = -1, dropped = -1, median = -1] = COLUMNS.map((column) =>
    places.indexOf(column),
  )
  const window = windows.find(({ closed, rows }) => closed && rows.length > 0) ?? null
  if (Math.min(step, title, entered, converted, dropped, median) < 0) return null
  const steps = (window?.rows ?? []).map((row) => ({
    step: Number(row[step]),
    name: String(row[title]),
    entered: Number(row[entered]),
    converted: Number(row[converted]),
    dropped: Number(row[dropped]),
    medianMs: row[median] === null ? null : Number(row[median]) * 1000,
  }))
  steps.sort((left, right) => left.step - right.step || right.entered - left.entered)
  return { name, window, steps }
}

/** How many began, and how many of them did the last step. */
export function throughput(steps: readonly FunnelStepView[]): { readonly began: number; readonly through: number } {
  const last = Math.max(...steps.map(({ step }) => step))
  const sum = (number: number): number =>
    steps.filter(({ step }) => step === number).reduce((total, { entered }) => total + entered, 0)
  // Where nobody has come to the last step, it has no row; whoever came to the last one that is shown has converted or dropped there.
  const isEnd = steps.some(({ step, converted, dropped }) => step === last && converted + dropped === 0)
  return { began: sum(1), through: isEnd ? sum(last) : 0 }
}
