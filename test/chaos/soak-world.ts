import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeText } from '../../src/base/bytes.ts'
import { CLEAN, OUT_OF_ORDER } from '../../src/generator/generated-event.ts'
import { generateInto, type LoadResult } from '../../src/generator/load.ts'
import { RowSequence } from '../../src/generator/row-sequence.ts'
import { generatorSettings } from '../../src/generator/settings.ts'
import { sitePaths } from '../../src/generator/site-map.ts'
import { openEmbeddedLog } from '../../src/log/embedded-log.ts'
import type { Log } from '../../src/log/log.ts'
import { RecordBatchBuilder } from '../../src/log/record-batch-builder.ts'
import { type RowText, rowText } from './oracle.ts'

export const TOPIC = 'events'
const WINDOW_MS = 10_000
/** What the log keeps of the topic, in all partitions together. */
const RETENTION_BYTES = 4_000_000_000
const PARTITIONS = 4

const PIPELINE = `
import { clickEvent, count, duckdb, logSource, parquet, pipeline, postgres, session, stream, sum, tumbling } from 'millrace'

const events = stream(logSource('${TOPIC}'), clickEvent, { keyed: true })
  .withWatermark('event_time', '5s', { idleTimeout: '1h', maxClockSkew: null })
  .dedupe('event_id', { within: '10s', scope: 'partition' })
const pages = events.groupBy('page_url').window(tumbling('${WINDOW_MS}ms')).aggregate({ events: count(), revenue: sum('amount') })
const sessions = events.groupBy('user_id').window(session('10s')).aggregate({ events: count() })

export default pipeline('soak')
  .query('pages', pages, [parquet('out/pages', { roll: { every: '1m' } }), postgres('pages', { key: [] }), duckdb('pages', { key: [] })])
  .query('sessions', sessions, [parquet('out/sessions', { roll: { every: '1m' } })])
`

/** A folder in which a pipeline with three sinks can be run over a generated topic. */
export interface SoakWorld {
  readonly folder: string
  readonly log: Log
}

export async function openSoakWorld(folder: string): Promise<SoakWorld> {
  await writeFile(join(folder, 'pipeline.ts'), PIPELINE)
  return { folder, log: await openEmbeddedLog(join(folder, 'home', 'log'), { mode: 'write' }) }
}

/** Generates events, a tenth of them out of order, one in a hundred twice: so many a second until the signal, or so many at once. */
export function fill(
  { log }: SoakWorld,
  eventsPerSecond: number,
  until: { readonly signal: AbortSignal } | { readonly rows: number },
  onRows: (rows: number) => void = () => {},
): Promise<LoadResult> {
  const settings = generatorSettings({
    partitions: PARTITIONS,
    eventsPerSecond: Math.round(eventsPerSecond),
    outOfOrderFraction: 0.1,
    outOfOrderMaxMs: 2_000,
    duplicateFraction: 0.01,
  })
  return generateInto(log, TOPIC, settings, {
    ...until,
    pace: 'rows' in until ? 'flat-out' : 'schedule',
    topicSettings: { retentionBytesMax: RETENTION_BYTES / PARTITIONS },
    onProgress: ({ rows }) => onRows(rows),
  })
}

/** Moves time so far on that every window before closes. */
export async function closeWindows({ log }: SoakWorld): Promise<void> {
  const event = {
    event_id: 'end',
    event_time: new Date(Date.now() + 3_600_000).toISOString(),
    event_type: 'page_view',
    user_id: 'end',
    page_url: '/end',
  }
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const builder = new RecordBatchBuilder()
    builder.add(null, encodeText(JSON.stringify(event)), Date.now())
    await log.append(TOPIC, partition, builder.finish())
  }
}

/** What the sinks have to hold, by walking the generator's sequence anew: most of the topic is not in the log any more. */
export interface SoakTruth {
  readonly pages: readonly RowText[]
  readonly events: number
}

export function soakTruth({ origin, rows }: LoadResult): SoakTruth {
  const { settings, startTimeMs } = origin
  const sequence = new RowSequence(settings, startTimeMs)
  const paths = sitePaths(settings.productsPerCategory)
  const groups = new Map<number, { events: number; cents: number }>()
  let events = 0
  for (let left = rows; left > 0; left--) {
    const { plant, timeMs, page, amountCents } = sequence.next()
    if (plant !== CLEAN && plant !== OUT_OF_ORDER) continue
    events++
    const key = Math.floor(timeMs / WINDOW_MS) * paths.length + page
    const group = groups.get(key) ?? { events: 0, cents: 0 }
    group.events++
    group.cents += amountCents
    groups.set(key, group)
  }
  const pages = [...groups].map(([key, group]) => {
    const window = Math.floor(key / paths.length)
    return rowText(window * WINDOW_MS, paths[key - window * paths.length], group.events, group.cents / 100)
  })
  return { pages: pages.sort(), events }
}
