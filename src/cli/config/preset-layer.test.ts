import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PRESETS } from '../../pipelines/index.ts'
import { assertPlan } from '../../plan/check.ts'
import { readConfig } from './config.ts'
import { parseSetting } from './setting-value.ts'
import { settingNamed } from './settings.ts'

const B = 'page-geo-sessions'

describe('a preset is one more place where settings are looked for', () => {
  test('behind all others', async () => {
    const { values, notices } = await configOf({ PAGE_WINDOW: '1 minute', MILLRACE_TRIGGER: '5s' }, B)
    assert.deepEqual(values.get('page-window'), { value: 60_000, origin: 'PAGE_WINDOW' })
    assert.deepEqual(values.get('trigger'), { value: 5_000, origin: 'MILLRACE_TRIGGER' })
    assert.deepEqual(values.get('geo-window'), { value: 30_000, origin: `preset ${B}` })
    assert.deepEqual(values.get('topic'), { value: 'events', origin: `preset ${B}` })
    assert.equal(values.get('port'), undefined, 'what it does not say is left to the default')
    assert.deepEqual(notices, [])
  })

  test('and may itself be named in the environment', async () => {
    const { values } = await configOf({ MILLRACE_PRESET: B })
    assert.deepEqual(values.get('watermark-delay'), { value: 10_000, origin: `preset ${B}` })
  })

  // B33
  test('with a profile before its own settings', async () => {
    const { values, problems } = await configOf({ WATERMARK_DELAY: '7 minutes' }, B, 'production')
    const origin = `preset ${B}, profile production`
    assert.deepEqual(problems, [])
    assert.deepEqual(values.get('watermark-delay'), { value: 420_000, origin: 'WATERMARK_DELAY' })
    assert.deepEqual(values.get('session-window'), { value: 1_800_000, origin })
    assert.deepEqual(values.get('page-window'), { value: 60_000, origin })
    assert.deepEqual(values.get('geo-window'), { value: 300_000, origin })
    assert.deepEqual(values.get('trigger'), { value: 60_000, origin })
    assert.deepEqual(values.get('from'), { value: 'latest', origin })
    assert.deepEqual(values.get('output'), { value: 'data/output/parquet', origin: `preset ${B}` })
  })

  test('whose profile has to be one of its own', async () => {
    assert.deepEqual((await configOf({}, B, 'produktion')).problems, [
      `the preset "${B}" has no profile "produktion" (did you mean "production"?)`,
    ])
    assert.deepEqual((await configOf({}, undefined, 'production')).problems, [
      'the profile "production" belongs to a preset, and none is named (--preset)',
    ])
    assert.deepEqual((await configOf({}, B, 'development')).problems, [])
  })

  // B26-B32
  test('and every name of that system is read or told why not, in one notice', async () => {
    const { values, notices } = await configOf(
      {
        KAFKA_TOPIC: 'clicks',
        KAFKA_STARTING_OFFSETS: 'latest',
        MSGS_PER_SEC: '50',
        MSG_ACKS: 'all',
        MSG_COMPRESSION: 'gzip',
        WATERMARK_DELAY: '5 minutes',
        SESSION_WINDOW: '30 minutes',
        PAGE_WINDOW: '1 minute',
        GEO_WINDOW: '5 minutes',
        TRIGGER_INTERVAL: '1 minute',
        OUTPUT_PATH: 'out',
        CHECKPOINT_PATH: 'checkpoints',
        RUN_ID: 'blue',
        maxOffsetsPerTrigger: '3000',
        SPARK_MASTER_URL: 'spark://spark-master:7077',
        SPARK_WORKER_CORES: '2',
        SPARK_WORKER_MEMORY: '2g',
        SPARK_SQL_SHUFFLE_PARTITIONS: '4',
      },
      B,
    )
    assert.equal(values.get('session-window')?.origin, 'SESSION_WINDOW')
    assert.equal(values.get('rows-per-epoch')?.value, 3000)
    assert.equal(notices.length, 1)
    assert.match(notices[0] ?? '', /SPARK_MASTER_URL, SPARK_WORKER_CORES, SPARK_WORKER_MEMORY, SPARK_SQL_SHUFFLE_/)
    assert.match(notices[0] ?? '', /MSG_ACKS, MSG_COMPRESSION/)
    assert.doesNotMatch(notices[0] ?? '', /WINDOW/)
  })
})

describe('each preset', () => {
  for (const [name, preset] of PRESETS) {
    test(`${name} writes its settings as flags are written`, () => {
      for (const settings of [preset.settings, ...Object.values(preset.profiles)]) {
        for (const [setting, text] of Object.entries(settings)) {
          const known = settingNamed(setting)
          assert.ok(known && parseSetting(known, String(text)) !== undefined, `${setting} ${text}`)
        }
      }
    })

    test(`${name} can run, as it is and in every profile`, () => {
      for (const changes of [{}, ...Object.values(preset.profiles)]) assertPlan(preset.build(changes))
      assert.equal(preset.build().name, name)
    })
  }
})

function configOf(
  env: Readonly<Record<string, string>>,
  preset?: string,
  profile?: string,
): ReturnType<typeof readConfig> {
  return readConfig({ workingFolder: import.meta.dirname, env, file: undefined, preset, profile })
}
