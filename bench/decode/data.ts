import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Random } from '../../src/base/random.ts'
import type { EncodedRecords } from '../../src/batch/encoded-records.ts'
import { type Event, EventSequence, shuffled } from './events.ts'

/** Lines of JSON, cut into batches as a source does it. */
export interface DataSet {
  readonly name: string
  readonly events: number
  readonly batches: readonly EncodedRecords[]
}

const BATCH_BYTES = 1 << 18
const EVENTS = 200_000
const EVENTS_HIGH_CARDINALITY = 1_000_000
const WEB_LOG = join(import.meta.dirname, '..', '..', '..', 'shared', 'data', 'web-log', 'access.ndjson.gz')
/** The web log is short, so it is read several times over. */
const WEB_LOG_TIMES = 10

/** Users, and what makes a line of an event; by the name that `--data` has for it. */
const SHAPES: Readonly<Record<string, { users: number; events: number; line(event: Event, random: Random): string }>> =
  {
    uniform: { users: 1_000, events: EVENTS, line: (event) => JSON.stringify(event) },
    mixed: { users: 1_000, events: EVENTS, line: mixedLine },
    'high-cardinality': { users: 1_000_000, events: EVENTS_HIGH_CARDINALITY, line: (event) => JSON.stringify(event) },
    shuffled: { users: 1_000, events: EVENTS, line: (event, random) => JSON.stringify(shuffled(event, random)) },
    escapes: { users: 1_000, events: EVENTS, line: escapedLine },
    python: { users: 1_000, events: EVENTS, line: pythonLine },
  }

/** Every data set there is; the web log only where it is at hand. */
export const DATA_NAMES: readonly string[] = [...Object.keys(SHAPES), ...(existsSync(WEB_LOG) ? ['web-log'] : [])]

/** Makes a data set, always the same one. */
export function dataSet(name: string): DataSet {
  if (name === 'web-log') return webLog()
  const shape = SHAPES[name]
  if (shape === undefined) throw new Error(`no data is called ${name}: ${DATA_NAMES.join(', ')}`)
  const random = new Random(20_261_124)
  const sequence = new EventSequence(random, shape)
  const batches: EncodedRecords[] = []
  let lines: string[] = []
  let bytes = 0
  for (let index = 0; index < shape.events; index++) {
    const line = shape.line(sequence.next(), random)
    lines.push(line)
    bytes += line.length + 1
    if (bytes < BATCH_BYTES && index < shape.events - 1) continue
    batches.push(batchOf(Buffer.from(`${lines.join('\n')}\n`), lines.length, index + 1 - lines.length))
    lines = []
    bytes = 0
  }
  return { name, events: shape.events, batches }
}

function webLog(): DataSet {
  const text = gunzipSync(readFileSync(WEB_LOG))
  const batches: EncodedRecords[] = []
  let events = 0
  for (let time = 0; time < WEB_LOG_TIMES; time++) {
    for (let start = 0; start < text.length; ) {
      const end = text.indexOf(10, Math.min(start + BATCH_BYTES, text.length - 1)) + 1
      const bytes = text.subarray(start, end)
      const count = bytes.reduce((sum, byte) => sum + Number(byte === 10), 0)
      batches.push(batchOf(bytes, count, events))
      events += count
      start = end
    }
  }
  return { name: 'web-log', events, batches }
}

function batchOf(bytes: Uint8Array, recordCount: number, baseOffset: number): EncodedRecords {
  const endOffset = baseOffset + recordCount
  return { framing: 'newline', bytes, baseOffset, endOffset, recordCount, baseTimestamp: Number.NaN }
}

/** Four producers: half plain, a quarter Python, some with sorted names and nested objects, some with escapes; a few are damaged. */
function mixedLine(event: Event, random: Random): string {
  const producer = random.fraction()
  let line: string
  if (producer < 0.5) line = JSON.stringify({ ...event, ...(random.chance(0.1) ? { is_new: random.chance(0.5) } : {}) })
  else if (producer < 0.75) line = pythonLine(event, random)
  else if (producer < 0.9) line = sortedLine(event, random)
  else line = escapedLine(event, random)
  if (!random.chance(0.0005)) return line
  const at = random.below(line.length)
  return random.chance(0.5) ? line.slice(0, at) : line.replace(':', '')
}

/** As PHP writes: slashes with a backslash; some names with quotes and in other scripts. */
function escapedLine(event: Event, random: Random): string {
  const city = random.pick(NAMES)
  const users = random.chance(0.2) ? { user_id: `\u00fcser "${random.below(50)}" \u6771\u4eac` } : {}
  return JSON.stringify({ ...event, ...users, city }).replaceAll('/', '\\/')
}

/** As Python's json.dumps writes: other order, a space behind comma and colon, ASCII only. */
function pythonLine(event: Event, random: Random): string {
  const { timestamp, user_id, session_id, event_type, event_id, country, device, browser, page_url, referrer } = event
  const local = `${new Date(Date.parse(timestamp) + 7_200_000).toISOString().slice(0, 23)}+02:00`
  const head = { timestamp: local, user_id, session_id, event_type, event_id, country, device, browser, page_url }
  const { amount = null, quantity = null } = event
  return dumped({ ...head, referrer, amount, quantity, title: random.pick(NAMES) })
}

function dumped(value: unknown): string {
  if (value === null || typeof value !== 'object') {
    return JSON.stringify(value).replace(
      /[\u007f-\uffff]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
  }
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}: ${dumped(member)}`)
    .join(', ')}}`
}

/** As Go writes a map: names in order; times to the second, and an object with more about the producer. */
function sortedLine(event: Event, random: Random): string {
  const timestamp = `${event.timestamp.slice(0, 19)}Z`
  const lib = { name: 'go-sdk', version: `1.2.${random.below(9)}` }
  const context = { ip: `10.0.${random.below(256)}.${random.below(256)}`, lib, geo: [52.52 + random.fraction(), 13.4] }
  const members = Object.entries({ ...event, timestamp, context, title: random.pick(NAMES) })
  return JSON.stringify(Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1))))
}

const NAMES: readonly string[] = [
  'Zo\u00eb',
  'Fran\u00e7ois',
  '\u6771\u4eac',
  'na\u00efve "quoted"',
  'emoji \u{1f600}',
  'back\\slash',
  'tab\there',
]
