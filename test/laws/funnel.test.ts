import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MillraceError } from '../../src/base/error.ts'
import {
  boolean,
  col,
  defineSchema,
  type FunnelMode,
  logSource,
  type Pipeline,
  pipeline,
  stream,
  text,
  timestamp,
  tumbling,
} from '../../src/index.ts'
import { rowsOf } from '../../src/sinks/memory-sink.ts'
import { EngineRun } from '../support/events.ts'
import { lawRuns } from '../support/law-runs.ts'
import { type FoundStep, type FunnelRow, naiveFunnel } from '../support/naive-funnel.ts'

const START_MS = Date.UTC(2026, 0, 1)
const WITHIN_MS = 20_000
const WINDOW_MS = 30_000
const NAMES = ['see', 'take', 'pay']
const MODES: readonly FunnelMode[] = ['ordered', 'strict', 'any']

const schema = defineSchema({
  ts: timestamp({ format: 'epoch-ms', required: true }),
  who: text(),
  see: boolean(),
  take: boolean(),
  pay: boolean(),
})

function planOf(mode: FunnelMode): Pipeline {
  const funnel = stream(logSource('t'), schema)
    .withWatermark('ts', '8s', { maxClockSkew: null })
    .funnel({ by: 'who', steps: Object.fromEntries(NAMES.map((name) => [name, col(name)])), within: '20s', mode })
  return pipeline('laws')
    .query('steps', funnel.select())
    .query('conversions', funnel.conversions(tumbling('30s')))
}

interface Drawn {
  readonly at: number
  readonly late: number
  readonly who: string | null
  readonly steps: readonly number[]
  readonly partition: number
  /** The epoch ends behind it. */
  readonly cut: boolean
  /** The process dies behind it, if the epoch ends. */
  readonly crash: boolean
}

const history = fc.array(
  fc.record<Drawn>({
    at: fc.nat(90),
    late: fc.nat(7),
    who: fc.constantFrom('a', 'a', 'b', null),
    steps: fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom([0], [1], [2], []) },
      { weight: 1, arbitrary: fc.subarray([0, 1, 2]) },
    ),
    partition: fc.nat(1),
    cut: fc.boolean(),
    crash: fc.boolean(),
  }),
  { maxLength: 60, size: 'max' },
)

interface Placed {
  readonly row: FunnelRow
  readonly cut: boolean
  readonly crash: boolean
}

for (const mode of MODES) {
  const plan = planOf(mode)

  test(`${mode}: attempts are those of one pass over the sorted rows, for any order, partitions, cut and crash`, () => {
    fc.assert(
      fc.property(history, (drawn) => {
        const placed = inOrderOfArrival(drawn)
        const expected = naiveFunnel(
          placed.map(({ row }) => row),
          NAMES,
          WITHIN_MS,
          mode,
        )
        const { steps, conversions } = played(plan, placed)
        assert.deepEqual(steps, expected)
        assert.deepEqual(withoutMedian(conversions), naiveConversions(expected))
        assertMedians(conversions, expected)
      }),
      { numRuns: lawRuns('funnels') },
    )
  })

  test(`${mode}: the state is the same bytes for any cut and any crash, and empty at the end`, () => {
    fc.assert(
      fc.property(history, (drawn) => {
        const placed = inOrderOfArrival(drawn)
        let cut = new EngineRun(plan, 2)
        for (const { parts, crash } of epochsOf(placed)) {
          cut.epoch(parts)
          if (crash) cut = cut.restored()
        }
        const straight = new EngineRun(plan, 2)
        straight.epoch(partsOf(placed.map(({ row }) => row)))
        assert.deepEqual(cut.engine.snapshot(), straight.engine.snapshot())
        const empty = new EngineRun(plan, 2).restored()
        straight.epoch([[], []], { flush: true })
        assert.ok(straight.engine.snapshot().length <= empty.engine.snapshot().length + SLACK)
      }),
      { numRuns: lawRuns('funnels') },
    )
  })

  test(`${mode}: damaged state is refused with an explanation, or it is read as what it says`, () => {
    fc.assert(
      fc.property(history, fc.nat(), fc.nat(255), (drawn, place, byte) => {
        const run = new EngineRun(plan, 2)
        run.epoch(partsOf(inOrderOfArrival(drawn).map(({ row }) => row)))
        const bytes = run.engine.snapshot()
        for (const state of [bytes.subarray(0, place % bytes.length), bytes.with(place % bytes.length, byte)]) {
          try {
            const damaged = new EngineRun(plan, 2, { state })
            damaged.epoch([[], []])
            damaged.epoch([[], []], { flush: true })
            damaged.engine.snapshot()
          } catch (error) {
            assert.ok(error instanceof MillraceError, String((error as Error).stack))
          }
        }
      }),
      { numRuns: lawRuns('funnels') },
    )
  })
}

/** Bytes that the watermark may take more when it has seen rows. */
const SLACK = 16

/** Rows come so late that some are out of order, and none is behind the watermark. */
function inOrderOfArrival(drawn: readonly Drawn[]): Placed[] {
  const offsets = [0, 0]
  return [...drawn]
    .sort((left, right) => left.at + left.late - (right.at + right.late))
    .map(({ at, who, steps, partition, cut, crash }) => {
      const offset = offsets[partition] as number
      offsets[partition] = offset + 1
      return { row: { who, ts: START_MS + at * 1_000, partition, offset, steps }, cut, crash }
    })
}

function played(plan: Pipeline, placed: readonly Placed[]) {
  let run = new EngineRun(plan, 2)
  const seen: (readonly Readonly<Record<string, unknown>>[])[][] = []
  for (const { parts, crash } of [...epochsOf(placed), { parts: [[], []], crash: false }]) {
    const results = run.epoch(parts, { flush: seen.length === epochsOf(placed).length })
    assert.ok(results.ledger.every(({ fate }) => fate === 'accepted'))
    seen.push(results.queries.map(({ append }) => (append ? rowsOf(append).map((row) => Object.fromEntries(row)) : [])))
    if (crash) run = run.restored()
  }
  const steps = seen.flatMap(([rows]) => (rows ?? []).map(foundStep))
  return { steps, conversions: seen.flatMap(([, rows]) => rows ?? []) }
}

function foundStep(row: Readonly<Record<string, unknown>>): FoundStep {
  const { attempt_start, who, step, step_name, step_time, converted, seconds } = row as Record<string, never>
  return {
    start: Number(attempt_start),
    who,
    step,
    name: step_name,
    time: Number(step_time),
    converted,
    ms: seconds === null ? null : Math.round(Number(seconds) * 1000),
  }
}

function epochsOf(placed: readonly Placed[]): { parts: ReturnType<typeof partsOf>; crash: boolean }[] {
  const epochs: { parts: ReturnType<typeof partsOf>; crash: boolean }[] = []
  let rows: FunnelRow[] = []
  for (const { row, cut, crash } of placed) {
    rows.push(row)
    if (!cut) continue
    epochs.push({ parts: partsOf(rows), crash })
    rows = []
  }
  epochs.push({ parts: partsOf(rows), crash: true })
  return epochs
}

function partsOf(rows: readonly FunnelRow[]) {
  return [0, 1].map((partition) =>
    rows
      .filter((row) => row.partition === partition)
      .map(({ ts, who, steps }) => ({
        ts,
        who,
        ...Object.fromEntries(NAMES.map((name, index) => [name, steps.includes(index)])),
      })),
  )
}

type Group = readonly FoundStep[]

function groupsOf(steps: readonly FoundStep[]): Map<string, Group> {
  const groups = Map.groupBy(steps, ({ start, step, name }) => {
    return JSON.stringify([Math.floor(start / WINDOW_MS) * WINDOW_MS, step, name])
  })
  return new Map([...groups].sort(([left], [right]) => compareKeys(JSON.parse(left), JSON.parse(right))))
}

function compareKeys([start, step, name]: [number, number, string], [start2, step2, name2]: [number, number, string]) {
  return start - start2 || step - step2 || (name < name2 ? -1 : 1)
}

function naiveConversions(steps: readonly FoundStep[]): unknown[] {
  return [...groupsOf(steps)].map(([key, group]) => {
    const [start, step, name] = JSON.parse(key) as [number, number, string]
    const times = group.flatMap(({ ms }) => (ms === null ? [] : [ms]))
    const meanMicros = Math.floor((2_000 * times.reduce((sum, ms) => sum + ms, 0) + times.length) / (2 * times.length))
    return {
      window_start: start,
      window_end: start + WINDOW_MS,
      step,
      step_name: name,
      entered: group.length,
      converted: group.filter(({ converted }) => converted === true).length,
      dropped: group.filter(({ converted }) => converted === false).length,
      mean_seconds: times.length === 0 ? null : meanMicros / 1e6,
    }
  })
}

function withoutMedian(rows: readonly Readonly<Record<string, unknown>>[]): unknown[] {
  return rows.map(({ median_seconds: _median, mean_seconds: mean, ...row }) => ({
    ...row,
    window_start: Number(row['window_start']),
    window_end: Number(row['window_end']),
    mean_seconds: mean === null ? null : Number(mean),
  }))
}

/** The sketch is within 1 %. */
function assertMedians(rows: readonly Readonly<Record<string, unknown>>[], steps: readonly FoundStep[]): void {
  for (const [index, group] of [...groupsOf(steps).values()].entries()) {
    const times = group.flatMap(({ ms }) => (ms === null ? [] : [ms])).sort((left, right) => left - right)
    const median = rows[index]?.['median_seconds']
    if (times.length === 0) assert.equal(median, null)
    else {
      const exact = (times[Math.floor(0.5 * (times.length - 1))] as number) / 1000
      assert.ok(Math.abs(Number(median) - exact) <= exact * 0.0101, `${median} instead of ${exact}`)
    }
  }
}
