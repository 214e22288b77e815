import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  adam,
  defineSchema,
  float64,
  logisticRegression,
  logSource,
  type ModelSpec,
  type Pipeline,
  pipeline,
  purchaseWithin,
  stream,
  text,
  timestamp,
} from '../../src/index.ts'
import { BinaryModel } from '../../src/ml/binary-model.ts'
import { addNumber, addText, featureVector } from '../../src/ml/feature-vector.ts'
import { rowsOf } from '../../src/sinks/memory-sink.ts'
import { EngineRun } from '../support/events.ts'
import { lawRuns } from '../support/law-runs.ts'

const START_MS = Date.UTC(2026, 0, 1)
const WITHIN_MS = 20_000

const schema = defineSchema({
  ts: timestamp({ format: 'epoch-ms', required: true }),
  session_id: text(),
  event_type: text({ required: true }),
  device: text(),
  price: float64(),
})
const events = stream(logSource('t'), schema).withWatermark('ts', '5s', { maxClockSkew: null })
const model = logisticRegression({ guardOutcomes: null, l2: 0.001, classWeights: { positive: 3, negative: 1 } })
const plan = planOf(model)
const guarded = planOf({
  ...model,
  optimizer: adam(),
  guardOutcomes: 10,
  metricsWindow: 20,
  keepNegatives: 0.5,
  plattRate: 0.1,
  drift: { kind: 'page-hinkley', valuesMin: 3, delta: 0.005, threshold: 0.3, alpha: 0.999 },
})

function planOf(spec: ModelSpec): Pipeline {
  const predicted = events.predict({ label: purchaseWithin('20s'), features: ['price', 'device'], model: spec })
  const columns = { ts: 'ts', session_id: 'session_id', p: 'probability', version: 'model_version' } as const
  return pipeline('laws')
    .query('predictions', predicted.select(columns))
    .query('metrics', predicted.modelMetrics().select())
    .query('weights', predicted.modelWeights().select())
}

interface Step {
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

interface Event {
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

const history = fc.array(
  fc.record<Step>({
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

test('predictions are those of one pass over the sorted rows, for any cut into epochs and any crash', () => {
  fc.assert(
    fc.property(history, (steps) => {
      const rows = eventsOf(steps)
      const expected = naivePass(rows)
      const cut = epochs(steps, rows)
      let run = new EngineRun(plan, 2)
      const found: unknown[] = []
      for (const { parts, crash } of cut) {
        found.push(...predictions(run.epoch(parts)))
        if (crash) run = run.restored()
      }
      found.push(...predictions(run.epoch([[], []], { flush: true })))
      assert.deepEqual(found, expected)
    }),
    { numRuns: lawRuns('models') },
  )
})

test('weights, optimizer, scaler, detectors and waiting rows are the same bytes for any cut and any crash', () => {
  fc.assert(
    fc.property(history, (steps) => {
      const rows = eventsOf(steps)
      const straight = new EngineRun(guarded, 2)
      straight.epoch(
        [0, 1].map((partition) => rows.filter((one) => one.partition === partition).map(({ event }) => event)),
      )
      let run = new EngineRun(guarded, 2)
      for (const { parts, crash } of epochs(steps, rows)) {
        run.epoch(parts)
        if (crash) run = run.restored()
      }
      assert.deepEqual(run.engine.snapshot(), straight.engine.snapshot())
    }),
    { numRuns: lawRuns('models') },
  )
})

function eventsOf(steps: readonly Step[]): Event[] {
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

function epochs(steps: readonly Step[], rows: readonly Event[]): { parts: Event['event'][][]; crash: boolean }[] {
  const cut: { parts: Event['event'][][]; crash: boolean }[] = []
  let parts: Event['event'][][] = [[], []]
  for (const [index, row] of rows.entries()) {
    parts[row.partition]?.push(row.event)
    const step = steps[index] as Step
    if (!step.cut && index < rows.length - 1) continue
    cut.push({ parts, crash: step.crash })
    parts = [[], []]
  }
  return cut
}

function predictions(results: ReturnType<EngineRun['epoch']>): unknown[] {
  const rows = results.queries[0]?.append
  return rows ? rowsOf(rows).map((row) => Object.fromEntries(row)) : []
}

/** The definition, row by row: quadratic, without state that outlives a row. */
function naivePass(unsorted: readonly Event[]): unknown[] {
  const rows = unsorted.toSorted(
    (left, right) => left.event.ts - right.event.ts || left.partition - right.partition || left.offset - right.offset,
  )
  const devices = new Map<string, number>()
  const learner = new BinaryModel(model, { size: 101, numbers: 1, featuresMax: 2 })
  const waiting: { readonly at: number; readonly row: ReturnType<typeof featureVector>; readonly ts: number }[] = []
  const found: unknown[] = []
  for (const [at, { event }] of rows.entries()) {
    while (waiting[0] && waiting[0].ts + WITHIN_MS <= event.ts) {
      const due = waiting.shift() as (typeof waiting)[number]
      learner.learn(due.row, bought(rows, due.at))
    }
    if (event.event_type === 'purchase') continue
    const row = featureVector(2)
    if (event.price !== null) addNumber(row, 0, event.price)
    if (event.device !== null) {
      if (!devices.has(event.device)) devices.set(event.device, devices.size)
      addText(row, 1 + (devices.get(event.device) as number), 1)
    }
    const { ts, session_id } = event
    found.push({ ts, session_id, p: learner.probability(row), version: learner.updates })
    if (session_id !== null) waiting.push({ at, row, ts })
  }
  return found
}

function bought(rows: readonly Event[], at: number): boolean {
  const { event } = rows[at] as Event
  return rows.some((other, index) => {
    const { ts, session_id, event_type } = other.event
    return index > at && event_type === 'purchase' && session_id === event.session_id && ts <= event.ts + WITHIN_MS
  })
}
