// For each preset: events of which some come late, twice or broken, from the embedded log and from Kafka, with and without kill -9 on the
// way. What it writes is what SQL says of the events that were accepted, and what became of the others is what the generator knows.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { PresetEvents } from '../support/preset-run.ts'
import { type Ground, type PlayedPreset, playPreset } from '../support/preset-world.ts'
import { requirement } from '../support/requirement.ts'
import { assertEcommerce } from './outputs/ecommerce.ts'
import { assertOnlineModel } from './outputs/online-model.ts'
import { assertPageGeoSessions } from './outputs/page-geo-sessions.ts'
import { assertUrlDeviceActivity } from './outputs/url-device-activity.ts'
import { assertUserActivity, SENT } from './outputs/user-activity.ts'

const FULL = process.env['MILLRACE_TEST_SCALE'] === 'full'
/** Later than any window, session or memory of ids reaches. */
const LATE = ['--late', '2%', '--late-min', '26h', '--late-max', '28h']
const BROKEN = ['--duplicates', '2%', '--malformed', '1%', '--invalid', '1%']

interface Case {
  readonly traffic: readonly string[]
  /** Repeats are told apart by an id. */
  readonly dedupes: boolean
  readonly assertOutputs: (events: PresetEvents) => Promise<void>
}

const CASES: Readonly<Record<string, Case>> = {
  'online-model': {
    traffic: ['--rate', '5', '--users', '200', '--purchase-scaling', '0.01', ...disorder('8s')],
    dedupes: false,
    assertOutputs: assertOnlineModel,
  },
  'page-geo-sessions': {
    traffic: ['--rate', '10', '--users', '300', ...disorder('4s')],
    dedupes: false,
    assertOutputs: assertPageGeoSessions,
  },
  'url-device-activity': {
    traffic: ['--rate', '2', '--users', '100', ...disorder('4m')],
    dedupes: true,
    assertOutputs: assertUrlDeviceActivity,
  },
  ecommerce: {
    traffic: ['--rate', '2', '--users', '100', '--purchase-scaling', '0.01', ...disorder('2m')],
    dedupes: true,
    assertOutputs: assertEcommerce,
  },
  'user-activity': {
    traffic: ['--rate', '1', ...disorder('60s')],
    dedupes: false,
    assertOutputs: (events) => assertUserActivity(events, SENT),
  },
}

for (const ground of ['embedded', 'kafka'] as const) {
  describe(`from ${ground}`, ground === 'kafka' ? requirement('kafka') : {}, () => {
    for (const [name, one] of Object.entries(CASES)) {
      for (const kills of killsOf(ground)) {
        test(`${name} writes each event once, whatever came and after ${kills} kills`, async (t) => {
          const events = FULL ? '3000' : '1200'
          const traffic = ['--num-events', events, ...LATE, ...BROKEN, ...one.traffic]
          const played = await playPreset(t, name, { ground, kills, traffic })
          assert.ok(played.kills > 0 || kills === 0, 'no kill came while it worked')
          assertFates(played, one)
          await one.assertOutputs(played.accepted)
          if (name === 'user-activity' && ground === 'kafka') assertEnriched(played)
        })
      }
    }
  })
}

/** A few in a quick run; Kafka's own are longer, and its sinks are killed in tests of their own. */
function killsOf(ground: Ground): number[] {
  if (FULL) return [0, 20]
  return ground === 'kafka' ? [2] : [0, 3]
}

function disorder(max: string): string[] {
  return ['--out-of-order', '10%', '--out-of-order-max', max]
}

/** Every row has one fate; those of broken and repeated ones are known to the generator, with the event that closes in each partition. */
function assertFates({ summary, truth }: PlayedPreset, { dedupes }: Case): void {
  const { malformed = 0, invalid = 0, duplicate = 0, late = 0, accepted = 0 } = summary.fates
  const planted = truth.rowsByPlant
  assert.equal(summary.rowsRead, truth.rows + truth.partitions.length)
  assert.deepEqual({ malformed, invalid }, { malformed: planted.malformed, invalid: planted.invalid })
  assert.equal(malformed + invalid + duplicate + late + accepted, summary.rowsRead)
  assert.equal(duplicate > 0, dedupes)
  assert.ok(duplicate <= planted.duplicate)
  // Whatever is read before there is a watermark is not late.
  assert.ok(late <= planted.late + planted.duplicate, `${late} late of ${planted.late}`)
}

function assertEnriched({ enriched, summary }: PlayedPreset): void {
  const { malformed = 0, invalid = 0 } = summary.fates
  assert.equal(enriched, summary.rowsRead - malformed - invalid)
}
