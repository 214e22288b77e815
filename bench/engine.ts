import assert from 'node:assert/strict'
import type { EncodedRecords } from '../src/batch/encoded-records.ts'
import { createWasmDecoder } from '../src/batch/wasm-decoder.ts'
import { createEngine } from '../src/engine/pipeline.ts'
import { generateInto } from '../src/generator/load.ts'
import { DEFAULT_SETTINGS } from '../src/generator/settings.ts'
import { truth } from '../src/generator/truth.ts'
import {
  approxCountDistinct,
  clickEvent,
  clickEventRules,
  count,
  logSource,
  pipeline,
  stream,
  sum,
  tumbling,
} from '../src/index.ts'
import { MemoryLog } from '../src/log/memory-log.ts'
import { loadedModule } from './decode/loaded-module.ts'
import type { Bench } from './support/bench.ts'
import { measure, resultOf } from './support/measure.ts'

const EVENTS = 400_000
const TOPIC = 'events'

/** Decode, validate, and a tumbling window with count, sum and approximate distinct, on one core. */
export const bench: Bench = {
  name: 'engine',
  summary: 'decoder + tumbling count, sum, approx distinct by page over generated events',
  async run() {
    const log = new MemoryLog()
    const settings = { ...DEFAULT_SETTINGS, partitions: 1 }
    const { origin } = await generateInto(log, TOPIC, settings, { pace: 'flat-out', rows: EVENTS })
    const batches: EncodedRecords[] = []
    while ((batches.at(-1)?.endOffset ?? 0) < EVENTS) {
      batches.push(...(await log.read(TOPIC, 0, batches.at(-1)?.endOffset ?? 0, 16 << 20)))
    }
    const expected = truth(origin, [EVENTS], { windowSizeMs: 60_000 })
    const measured = await measure([
      { name: 'engine', run: () => runEngine(batches, expected.counted, expected.revenueCents) },
      { name: 'decode', run: () => decodeOnly(batches) },
    ])
    return measured.map((one) => resultOf({ name: one.name, data: 'generated' }, one)).reverse()
  },
}

function runEngine(batches: readonly EncodedRecords[], events: number, revenueCents: number): number {
  const pages = stream(logSource(TOPIC), clickEvent, { rules: clickEventRules })
    .withWatermark('event_time', '2 minutes', { maxClockSkew: null })
    .groupBy('page_url')
    .window(tumbling('1 minute'))
    .aggregate({ events: count(), revenue: sum('amount'), users: approxCountDistinct('user_id') })
  const plan = pipeline('bench').query('pages', pages)
  const engine = createEngine(plan, { hashKey: [1, 2], advanceWhenIdle: false, extraModes: [], groupsMax: 1_000_000 })
  engine.addPartitions(['0'])
  const decoder = createWasmDecoder(
    {
      fields: engine.fields,
      knownMembers: new Set(clickEvent.fields.map((field) => field.from ?? field.name)),
      hashSeed: 1,
      dictionaryEntriesMax: 1 << 20,
    },
    loadedModule(),
  )
  const clockMs = Date.now()
  engine.beginEpoch({ epoch: 1, previous: 0, clockMs, ranges: [], idle: [], ended: [0], flush: true })
  for (const records of batches) engine.processBatch(0, decoder.decode(records))
  const { rowsRead, queries } = engine.endEpoch()
  const rows = queries[0]?.append
  assert.ok(rows)
  assert.equal(total(rows.columns[3], rows.rowCount), events)
  assert.equal(total(rows.columns[4], rows.rowCount), revenueCents)
  return rowsRead
}

function decodeOnly(batches: readonly EncodedRecords[]): number {
  const decoder = createWasmDecoder(
    {
      fields: clickEvent.fields.slice(0, 10),
      knownMembers: new Set(),
      hashSeed: 1,
      dictionaryEntriesMax: 1 << 20,
    },
    loadedModule(),
  )
  let rows = 0
  for (const records of batches) rows += decoder.decode(records).rowCount
  assert.equal(rows, EVENTS)
  return rows
}

function total(column: { kind: string } | undefined, rowCount: number): number {
  assert.ok(column && 'values' in column && column.values instanceof Float64Array)
  return column.values.subarray(0, rowCount).reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : value), 0)
}
