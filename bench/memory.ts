import assert from 'node:assert/strict'
import { encodeText } from '../src/base/bytes.ts'
import type { EncodedRecords } from '../src/batch/encoded-records.ts'
import { createEngine } from '../src/engine/pipeline.ts'
import {
  col,
  count,
  defineSchema,
  isNull,
  logSource,
  not,
  pipeline,
  stream,
  text,
  timestamp,
  tumbling,
} from '../src/index.ts'
import { createDecoder } from '../src/job/create-decoder.ts'
import { loadDecoderModule } from '../src/job/decoder-module.ts'
import type { Bench, BenchOptions, BenchResult } from './support/bench.ts'
import { measure, resultOf } from './support/measure.ts'

const EVENTS = 50_000_000
const SESSIONS = 10_000_000
const ROWS_PER_BATCH = 1_000
const EVENTS_PER_SECOND = 10_000
const PAGES = 100
const START_MS = Date.UTC(2026, 0, 1)
/** Digits of a time and of a session's number: both are written over in place from batch to batch. */
const TIME_DIGITS = 13
const SESSION_DIGITS = 8

const { fields } = defineSchema({
  at: timestamp({ format: 'epoch-ms', required: true }),
  page_url: text({ required: true }),
  session_id: text({ cardinality: 'high' }),
})

/** Views by page and minute; session ids are read, but nothing is grouped by them. */
const plan = pipeline('memory').query(
  'views',
  stream(logSource('events'), { fields })
    .withWatermark('at', '2 minutes', { maxClockSkew: null })
    .where(not(isNull(col('session_id'))))
    .groupBy('page_url')
    .window(tumbling('1 minute'))
    .aggregate({ views: count() }),
)

/** Fifty million events with ten million session ids: what stays in memory goes to stderr. */
export const bench: Bench = {
  name: 'memory',
  summary: 'decode + tumbling count over 50 M events with 10 M session ids; the largest memory of the process',
  async run({ data = 'sessions' }: BenchOptions): Promise<readonly BenchResult[]> {
    assert.equal(data, 'sessions', `no data is called ${data}: sessions`)
    const [one] = await measure([{ name: 'memory', run: countAll }], { warmUps: 0, runs: 1 })
    assert.ok(one)
    const largestMb = process.resourceUsage().maxRSS / 1024
    process.stderr.write(`largest memory of the process: ${largestMb.toFixed(0)} MB\n`)
    return [resultOf({ name: 'memory', data }, one)]
  },
}

function countAll(): number {
  const engine = createEngine(plan, {
    hashKey: [1, 2],
    advanceWhenIdle: false,
    extraModes: [],
    groupsMax: 1_000_000,
  })
  engine.addPartitions(['0'])
  const module = loadDecoderModule((problem) => assert.fail(problem))
  const limits = { hashSeed: 1, dictionaryEntriesMax: 1 << 20 }
  const decoder = createDecoder({ fields: engine.fields, knownMembers: new Set(), ...limits }, module)
  const batch = new RewrittenBatch()
  let views = 0
  for (let event = 0, epoch = 1; event < EVENTS; epoch++) {
    const flush = event + 200_000 >= EVENTS
    engine.beginEpoch({ epoch, previous: epoch - 1, clockMs: 0, ranges: [], idle: [], ended: [], flush })
    for (const end = event + 200_000; event < end; event += ROWS_PER_BATCH) {
      engine.processBatch(0, decoder.decode(batch.from(event)))
    }
    for (const { append } of engine.endEpoch().queries) {
      const column = append?.columns.at(-1)
      for (let row = 0; row < (append?.rowCount ?? 0); row++) {
        assert.ok(column?.kind === 'number')
        views += column.values[row]
      }
    }
  }
  assert.equal(views, EVENTS, 'every event is counted')
  return EVENTS
}

/** Lines whose times and session ids are written over, so that no more than one batch exists. */
class RewrittenBatch {
  readonly #bytes: Uint8Array
  readonly #timeAts: number[] = []
  readonly #sessionAts: number[] = []

  constructor() {
    let text = ''
    for (let row = 0; row < ROWS_PER_BATCH; row++) {
      this.#timeAts.push(text.length + '{"at":'.length)
      text += `{"at":${'0'.repeat(TIME_DIGITS)},"page_url":"/page/${row % PAGES}","session_id":"s-`
      this.#sessionAts.push(text.length)
      text += `${'0'.repeat(SESSION_DIGITS)}"}\n`
    }
    this.#bytes = encodeText(text)
  }

  from(event: number): EncodedRecords {
    for (let row = 0; row < ROWS_PER_BATCH; row++) {
      const number = event + row
      this.#digits(this.#timeAts[row], TIME_DIGITS, START_MS + Math.floor((number * 1000) / EVENTS_PER_SECOND))
      this.#digits(this.#sessionAts[row], SESSION_DIGITS, number % SESSIONS)
    }
    return {
      framing: 'newline',
      bytes: this.#bytes,
      baseOffset: event,
      endOffset: event + ROWS_PER_BATCH,
      recordCount: ROWS_PER_BATCH,
      baseTimestamp: Number.NaN,
    }
  }

  #digits(at: number, count: number, value: number): void {
    let rest = value
    for (let place = at + count - 1; place >= at; place--) {
      const tens = Math.floor(rest / 10)
      this.#bytes[place] = 0x30 + rest - tens * 10
      rest = tens
    }
  }
}
