import assert from 'node:assert/strict'
import type { Batch } from '../src/batch/batch.ts'
import { cellValue } from '../src/batch/cell.ts'
import { encodeCsvRows } from '../src/batch/csv-encoder.ts'
import { encodeJsonRows } from '../src/batch/json-encoder.ts'
import { createScalarDecoder } from '../src/batch/scalar-decoder.ts'
import { generateInto } from '../src/generator/load.ts'
import { generatorSettings } from '../src/generator/settings.ts'
import { clickEvent } from '../src/index.ts'
import { MemoryLog } from '../src/log/memory-log.ts'
import type { Bench, BenchOptions, BenchResult } from './support/bench.ts'
import { type Contender, measure, resultOf } from './support/measure.ts'

/** As many as one epoch may bring; encoded so many times per run. */
const ROWS = 5_000
const TIMES = 20
const TOPIC = 'events'
const START_MS = Date.UTC(2026, 10, 24)

/** What is encoded, by the name that `--data` has for it. */
const DATA: Readonly<Record<string, object>> = {
  clean: {},
  /** More users than the cells of their column that a cache of the processor holds. */
  'high-cardinality': { users: 600_000, activeSessionsMax: 100_000 },
}

/** The landing of raw events: decoded columns to lines of JSON and CSV, against an object per row and `JSON.stringify`. */
export const bench: Bench = {
  name: 'encode',
  summary: 'columns of click events, 22 fields with many nulls, to JSON lines and CSV',
  run,
}

async function run({ data = 'clean' }: BenchOptions): Promise<readonly BenchResult[]> {
  const given = Object.hasOwn(DATA, data) ? DATA[data] : undefined
  assert.ok(given !== undefined, `no data is called ${data}: ${Object.keys(DATA).join(', ')}`)
  const batch = await decodedEvents(given)
  const expectedJson = stringified(batch)
  const csvBytes = encodeCsvRows(batch).length
  checkCsv(batch)
  const contenders: readonly Contender[] = [
    { name: 'JSON.stringify', run: () => encodeAs(() => stringified(batch), expectedJson.length) },
    { name: 'csv', run: () => encodeAs(() => encodeCsvRows(batch), csvBytes) },
    { name: 'json', run: () => encodeAs(() => encodeJsonRows(batch), expectedJson.length) },
  ]
  assert.ok(expectedJson.equals(encodeJsonRows(batch)), 'the encoder writes what JSON.stringify does')
  const [stringify, csv, json] = await measure(contenders, { warmUps: 3, runs: 9 })
  return [
    resultOf({ name: 'encode/stringify', data }, stringify),
    resultOf({ name: 'encode/csv', data }, csv, [stringify]),
    resultOf({ name: 'encode', data }, json, [stringify]),
  ]
}

function encodeAs(encode: () => Uint8Array, expectedBytes: number): number {
  for (let time = 0; time < TIMES; time++) assert.equal(encode().length, expectedBytes)
  return TIMES * ROWS
}

/** All events in one batch; they lie in the order in which they were generated. */
async function decodedEvents(given: object): Promise<Batch> {
  const log = new MemoryLog()
  const settings = generatorSettings({ ...given, partitions: 1, eventsPerSecond: 10_000 })
  const batchBytes = 1 << 30
  await generateInto(log, TOPIC, settings, { pace: 'flat-out', rows: ROWS, startTimeMs: START_MS, batchBytes })
  const [records] = await log.read(TOPIC, 0, 0, batchBytes)
  const { fields } = clickEvent
  const knownMembers = new Set(fields.filter((field) => !field.rest).map((field) => field.from ?? field.name))
  const batch = createScalarDecoder({ fields, knownMembers, hashSeed: 1, dictionaryEntriesMax: 1 << 20 }).decode(
    records,
  )
  assert.equal(batch.rowCount, ROWS)
  assert.ok(batch.status.subarray(0, ROWS).every((status) => status === 0))
  return batch
}

/** The obvious way, and an independent one: an object per row. Decimals keep their digits, times are spelled out. */
function stringified({ fields, columns, rowCount }: Batch): Buffer {
  const lines: string[] = []
  for (let row = 0; row < rowCount; row++) {
    const object: Record<string, unknown> = {}
    for (const [index, field] of fields.entries()) {
      const value = cellValue(columns[index], field, row)
      object[field.name] =
        typeof value !== 'number'
          ? value
          : field.type === 'timestamp'
            ? new Date(value).toISOString()
            : field.type === 'decimal'
              ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(value.toFixed(field.scale))
              : value
    }
    lines.push(JSON.stringify(object))
  }
  lines.push('')
  return Buffer.from(lines.join('\n'))
}

/** Generated text holds quotes in search queries, but no line breaks: cells can be taken apart by hand. */
function checkCsv({ fields, columns, rowCount }: Batch): void {
  assert.ok(rowCount >= 1_000)
  const batch = { fields, columns, rowCount: 1_000 }
  const lines = Buffer.from(encodeCsvRows(batch)).toString().split('\n')
  assert.equal(lines.length, batch.rowCount + 1)
  for (let row = 0; row < batch.rowCount; row++) {
    const cells = lines[row].match(/(?<=^|,)("(""|[^"])*"|[^,]*)/g) ?? []
    assert.equal(cells.length, fields.length, lines[row])
    for (const [index, field] of fields.entries()) {
      if (field.type !== 'string') continue
      const text = cells[index].startsWith('"') ? cells[index].slice(1, -1).replaceAll('""', '"') : cells[index]
      assert.equal(text, cellValue(columns[index], field, row) ?? '')
    }
  }
}
