import type { FunnelMode } from '../../src/index.ts'

/** A row as the funnel sees it: who, when, and the steps that it is, by their indexes. */
export interface FunnelRow {
  readonly who: string | null
  readonly ts: number
  readonly partition: number
  readonly offset: number
  readonly steps: readonly number[]
}

/** A step that an attempt came to. */
export interface FoundStep {
  readonly start: number
  readonly who: string
  readonly step: number
  readonly name: string
  readonly time: number
  readonly converted: boolean | null
  /** To the next step, in ms. */
  readonly ms: number | null
}

/** Attempts by the definition: one person at a time, one attempt after the other, in the order in which all of them began. */
export function naiveFunnel(
  rows: readonly FunnelRow[],
  names: readonly string[],
  withinMs: number,
  mode: FunnelMode,
): FoundStep[] {
  const order = (left: FunnelRow, right: FunnelRow) =>
    left.ts - right.ts || left.partition - right.partition || left.offset - right.offset
  const attempts: { readonly first: FunnelRow; readonly done: { readonly step: number; readonly row: FunnelRow }[] }[] =
    []
  for (const [who, own] of Map.groupBy([...rows].sort(order), (row) => row.who)) {
    if (who === null) continue
    for (let at = 0; at < own.length; ) {
      const first = own[at] as FunnelRow
      const step = mode === 'any' ? Math.min(...first.steps) : first.steps.includes(0) ? 0 : Number.POSITIVE_INFINITY
      at++
      if (step === Number.POSITIVE_INFINITY) continue
      const done = [{ step, row: first }]
      for (; done.length < names.length; at++) {
        const row = own[at]
        if (!row || row.ts > first.ts + withinMs) break
        const next = nextStep(row, done, mode)
        if (next !== undefined) done.push({ step: next, row })
        else if (mode === 'strict') break
      }
      attempts.push({ first, done })
    }
  }
  attempts.sort((left, right) => order(left.first, right.first))
  return attempts.flatMap(({ first, done }) =>
    done.map(({ step, row }, index) => {
      const next = done[index + 1]?.row
      return {
        start: first.ts,
        who: first.who as string,
        step: index + 1,
        name: names[step] as string,
        time: row.ts,
        converted: index === names.length - 1 ? null : next !== undefined,
        ms: next ? next.ts - row.ts : null,
      }
    }),
  )
}

function nextStep(row: FunnelRow, done: readonly { readonly step: number }[], mode: FunnelMode): number | undefined {
  if (mode !== 'any') return row.steps.includes(done.length) ? done.length : undefined
  const step = Math.min(...row.steps)
  return Number.isFinite(step) && !done.some((one) => one.step === step) ? step : undefined
}
