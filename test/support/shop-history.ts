import fc from 'fast-check'
import {
  defineSchema,
  type FieldSpec,
  float64,
  logSource,
  type Stream,
  stream,
  text,
  timestamp,
} from '../../src/index.ts'
import { rowsOf } from '../../src/sinks/memory-sink.ts'
import type { EngineRun } from './events.ts'

/*
 * Short histories of a shop, cut into epochs, with crashes: for laws over models.
 */

const START_MS = Date.UTC(2026, 0, 1)

/** The columns of a history. */
export type HistoryFields = Record<'ts' | 'session_id' | 'event_type' | 'device' | 'price', FieldSpec<unknown>>

/** The events of a history, with a watermark. */
export const historyEvents: Stream<HistoryFields> = stream<HistoryFields>(
  logSource('t'),
  defineSchema<HistoryFields>({
    ts: timestamp({ format: 'epoch-ms', required: true }),
    session_id: text(),
    event_type: text({ required: true }),
    device: text(),
    price: float64(),
  }),
).withWatermark('ts', '5s', { maxClockSkew: null })

/** What happens next in a history. */
export interface HistoryStep {
  readonly gapMs: number
  readonly session: number
  readonly buys: boolean
  readonly device: number
  readonly price: number | null
  readonly partition: number
  /** The epoch ends behind it. */
  readonly cut: boolean
  /** The process dies behind it, if the epoch ends. */
  readonly crash: boolean
}

/** An event with its place in the log. */
export interface HistoryEvent {
  readonly partition: number
  readonly offset: number
  readonly event: {
    ts: number
    session_id: string | null
    event_type: string
    device: string | null
    price: number | null
  }
}

/** Any history. */
export const history: fc.Arbitrary<HistoryStep[]> = fc.array(
  fc.record<HistoryStep>({
    gapMs: fc.constantFrom(0, 0, 1_000, 5_000, 20_000, 21_000),
    session: fc.nat(3),
    buys: fc.boolean(),
    device: fc.nat(3),
    price: fc.option(fc.double({ min: -100, max: 100, noNaN: true })),
    partition: fc.nat(1),
    cut: fc.boolean(),
    crash: fc.boolean(),
  }),
  { minLength: 1, maxLength: 80 },
)

/** The events of a history, in the order in which they were logged. */
export function historyRows(steps: readonly HistoryStep[]): HistoryEvent[] {
  let ts = START_MS
  const offsets = [0, 0]
  return steps.map(({ gapMs, session, buys, device, price, partition }) => {
    ts += gapMs
    const offset = offsets[partition] as number
    offsets[partition] = offset + 1
    const event = {
      ts,
      session_id: session === 3 ? null : `s${session}`,
      event_type: buys && session !== 2 ? 'purchase' : 'click',
      device: device === 3 ? null : `d${device}`,
      price,
    }
    return { partition, offset, event }
  })
}

/** The events by epoch and partition. */
export function historyEpochs(
  steps: readonly HistoryStep[],
  rows: readonly HistoryEvent[],
): { parts: HistoryEvent['event'][][]; crash: boolean }[] {
  const cut: { parts: HistoryEvent['event'][][]; crash: boolean }[] = []
  let parts: HistoryEvent['event'][][] = [[], []]
  for (const [index, row] of rows.entries()) {
    parts[row.partition]?.push(row.event)
    const step = steps[index] as HistoryStep
    if (!step.cut && index < rows.length - 1) continue
    cut.push({ parts, crash: step.crash })
    parts = [[], []]
  }
  return cut
}

/** Rows of the first query. */
export function predictions(results: ReturnType<EngineRun['epoch']>): unknown[] {
  const rows = results.queries[0]?.append
  return rows ? rowsOf(rows).map((row) => Object.fromEntries(row)) : []
}

/** In the order of time, partition and offset. */
export function inOrder(rows: readonly HistoryEvent[]): HistoryEvent[] {
  return rows.toSorted(
    (left, right) => left.event.ts - right.event.ts || left.partition - right.partition || left.offset - right.offset,
  )
}
