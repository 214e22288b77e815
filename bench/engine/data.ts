import type { EncodedRecords } from '../../src/batch/encoded-records.ts'
import { generateInto } from '../../src/generator/load.ts'
import type { Origin } from '../../src/generator/origin.ts'
import { DEFAULT_SETTINGS, type GeneratorSettings } from '../../src/generator/settings.ts'
import { MemoryLog } from '../../src/log/memory-log.ts'

const TOPIC = 'events'

/** Events per second of event time: a minute has as many as a busy shop. */
const EVENTS_PER_SECOND = 10_000

/** Traffic by name. */
export const DATA_SETS: Readonly<Record<string, Partial<GeneratorSettings>>> = {
  uniform: { users: 50_000 },
  'high-cardinality': { users: 600_000, userZipfExponent: 0, activeSessionsMax: 200_000, newSessionProbability: 0.3 },
}

/** Generated events of one partition as record batches, and what they were made from. */
export interface EngineData {
  readonly name: string
  readonly events: number
  readonly batches: readonly EncodedRecords[]
  readonly origin: Origin
}

/** Generates a data set. */
export async function engineData(name: string, events: number): Promise<EngineData> {
  const settings = { ...DEFAULT_SETTINGS, partitions: 1, eventsPerSecond: EVENTS_PER_SECOND, ...DATA_SETS[name] }
  const log = new MemoryLog()
  const { origin } = await generateInto(log, TOPIC, settings, { pace: 'flat-out', rows: events })
  const batches: EncodedRecords[] = []
  while ((batches.at(-1)?.endOffset ?? 0) < events) {
    batches.push(...(await log.read(TOPIC, 0, batches.at(-1)?.endOffset ?? 0, 16 << 20)))
  }
  return { name, events, batches: batches.map(shared), origin }
}

/** The same records in memory that all threads can read. */
function shared(records: EncodedRecords): EncodedRecords {
  const bytes = new Uint8Array(new SharedArrayBuffer(records.bytes.length))
  bytes.set(records.bytes)
  return { ...records, bytes }
}
