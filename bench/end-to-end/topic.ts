import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { encodeText } from '../../src/base/bytes.ts'
import { MS_PER_HOUR } from '../../src/base/time.ts'
import { RecordWalk } from '../../src/batch/record-walk.ts'
import { generateInto } from '../../src/generator/load.ts'
import { type GeneratorSettings, generatorSettings } from '../../src/generator/settings.ts'
import type { Log } from '../../src/log/log.ts'
import { RecordBatchBuilder } from '../../src/log/record-batch-builder.ts'

export const TOPIC = 'events'
export const PARTITIONS = 4
export const START_MS: number = Date.UTC(2026, 0, 1)

/** A thousand visitors, 2,000 events a second; one event in ten is up to five seconds late, far below what the queries wait for. */
export const SETTINGS: GeneratorSettings = generatorSettings({
  seed: 7,
  partitions: PARTITIONS,
  users: 1_000,
  eventsPerSecond: 2_000,
  outOfOrderFraction: 0.1,
})

/** A word that the keys of all events hold that only close windows. */
export const CLOSING = 'closing'

/** Fills the topic, and closes all windows by one event in each partition that comes an hour after all others. */
export async function fillTopic(log: Log, events: number): Promise<void> {
  const options = { pace: 'flat-out', rows: events, batchBytes: 400_000, startTimeMs: START_MS } as const
  await generateInto(log, TOPIC, SETTINGS, options)
  const closingTime = new Date(START_MS + (events / SETTINGS.eventsPerSecond) * 1_000 + MS_PER_HOUR).toISOString()
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const builder = new RecordBatchBuilder()
    const event = {
      event_id: `00000000-0000-4000-8000-00000000000${partition}`,
      event_time: closingTime,
      event_type: 'page_view',
      user_id: `${CLOSING}-${partition}`,
      device: 'desktop',
      browser: CLOSING,
      page_url: `/${CLOSING}`,
    }
    builder.add(null, encodeText(JSON.stringify(event)), Date.now())
    await log.append(TOPIC, partition, builder.finish())
  }
}

/** Writes all events as lines, for those who read files. */
export async function writeLines(log: Log, path: string, events: number): Promise<void> {
  const file = createWriteStream(path)
  const walk = new RecordWalk()
  let lines = 0
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const { start, end } = await log.offsets(TOPIC, partition)
    for (let offset = start; offset < end; ) {
      for (const { bytes, endOffset, release } of await log.read(TOPIC, partition, offset, 4 << 20)) {
        const text = Buffer.allocUnsafe(bytes.length)
        let length = 0
        walk.begin(bytes, bytes.length)
        while (walk.next()) {
          text.set(bytes.subarray(walk.valueStart, walk.valueStart + walk.valueLength), length)
          length += walk.valueLength
          text[length++] = NEWLINE
          lines++
        }
        offset = endOffset
        release?.()
        if (!file.write(text.subarray(0, length))) await once(file, 'drain')
      }
    }
  }
  file.end()
  await finished(file)
  assert.equal(lines, events + PARTITIONS)
}

const NEWLINE = 0x0a
