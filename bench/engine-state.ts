import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { encodeText } from '../src/base/bytes.ts'
import type { EncodedRecords } from '../src/batch/encoded-records.ts'
import type { Decoder } from '../src/batch/json-decoder.ts'
import type { Engine } from '../src/engine/engine.ts'
import { createEngine } from '../src/engine/pipeline.ts'
import {
  count,
  decimal,
  defineSchema,
  logSource,
  type Pipeline,
  pipeline,
  session,
  stream,
  sum,
  text,
  timestamp,
} from '../src/index.ts'
import { createDecoder } from '../src/job/create-decoder.ts'
import { loadDecoderModule } from '../src/job/decoder-module.ts'
import type { Bench, BenchOptions, BenchResult } from './support/bench.ts'
import { type Contender, measure, resultOf } from './support/measure.ts'

const SESSIONS = 1_000_000
const ROWS_PER_BATCH = 20_000
const START_MS = Date.UTC(2026, 0, 1)

const fields = defineSchema({
  at: timestamp({ format: 'epoch-ms', required: true }),
  user: text({ cardinality: 'high' }),
  amount: decimal(2),
})

/** Sessions by user: every user has one that stays open. */
const plan: Pipeline = pipeline('state').query(
  'sessions',
  stream(logSource('events'), fields)
    .withWatermark('at', '2 minutes', { maxClockSkew: null })
    .groupBy('user')
    .window(session('30 minutes'))
    .aggregate({ events: count(), revenue: sum('amount') }),
)

/** A million open sessions: filled, saved and restored; the memory that each takes goes to stderr. Figures are per session. */
export const bench: Bench = { name: 'engine-state', summary: 'a million open sessions, snapshot and restore', run }

async function run({ data = 'sessions' }: BenchOptions): Promise<readonly BenchResult[]> {
  assert.equal(data, 'sessions', `no data is called ${data}: sessions`)
  const records = Array.from({ length: SESSIONS / ROWS_PER_BATCH }, (_, batch) => recordsFrom(batch * ROWS_PER_BATCH))
  const before = await heldBytes()
  const engine = newEngine()
  fill(engine, newDecoder(engine), records)
  const held = (await heldBytes()) - before
  assert.equal(engine.status().queries[0]?.stateRows, SESSIONS)
  const state = engine.snapshot()
  process.stderr.write(
    `memory per session: ${(held / SESSIONS).toFixed(0)} bytes; snapshot: ${(state.length / SESSIONS).toFixed(1)} bytes\n`,
  )
  const contenders: Contender[] = [
    {
      name: 'fill',
      run: () => {
        const filled = newEngine()
        fill(filled, newDecoder(filled), records)
        return SESSIONS
      },
    },
    {
      name: 'restore',
      run: () => {
        const restored = newEngine()
        restored.restore(state)
        return SESSIONS
      },
    },
    {
      name: 'snapshot',
      run: () => {
        assert.equal(engine.snapshot().length, state.length)
        return SESSIONS
      },
    },
  ]
  const measured = await measure(contenders, { warmUps: 1, runs: 3 })
  return measured.map((one) => resultOf({ name: `engine-state/${one.name}`, data }, one))
}

function newEngine(): Engine {
  const options = { hashKey: [1, 2], advanceWhenIdle: false, extraModes: ['append'], groupsMax: 2 * SESSIONS } as const
  return createEngine(plan, options)
}

function newDecoder({ fields: selected }: Engine): Decoder {
  const module = loadDecoderModule((problem) => assert.fail(problem))
  const limits = { knownMembers: new Set<string>(), hashSeed: 1, dictionaryEntriesMax: 1 << 16 }
  return createDecoder({ fields: selected, ...limits }, module)
}

function fill(engine: Engine, decoder: Decoder, records: readonly EncodedRecords[]): void {
  engine.addPartitions(['0'])
  engine.beginEpoch({ epoch: 1, previous: 0, clockMs: START_MS, ranges: [], idle: [], ended: [], flush: false })
  for (const one of records) engine.processBatch(0, decoder.decode(one))
  engine.endEpoch()
}

function recordsFrom(first: number): EncodedRecords {
  const lines = Array.from({ length: ROWS_PER_BATCH }, (_, row) => {
    const user = first + row
    return `{"at":${START_MS + (user % 1_200_000)},"user":"user-${user * 7919}","amount":${user % 100}.25}\n`
  })
  return {
    framing: 'newline',
    bytes: encodeText(lines.join('')),
    baseOffset: first,
    endOffset: first + ROWS_PER_BATCH,
    recordCount: ROWS_PER_BATCH,
    baseTimestamp: Number.NaN,
  }
}

/** Bytes in use, on the heap and in typed arrays, after all garbage is gone. */
async function heldBytes(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  // What typed arrays held is given back by then.
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
