import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_SETTINGS, generatorSettings } from './settings.ts'

test('settings are complete: what is not given is the default', () => {
  assert.deepEqual(generatorSettings(), DEFAULT_SETTINGS)
  assert.deepEqual(generatorSettings({ seed: 7, lateFraction: undefined }), { ...DEFAULT_SETTINGS, seed: 7 })
  assert.deepEqual(generatorSettings(JSON.parse(JSON.stringify(DEFAULT_SETTINGS))), DEFAULT_SETTINGS)
})

test('all problems are told at once, with the values', () => {
  const given = { seed: -1, partitions: 2.5, users: '10', colour: 'red', lateFraction: Number.NaN, toString: 1 }
  assert.throws(() => generatorSettings(given), {
    code: 'invalid-option',
    message:
      'generator settings: seed is -1, expected a whole number from 0 to 4294967295; ' +
      'partitions is 2.5, expected a whole number from 1 to 256; users is "10", expected a whole number from 2 to 10000000; ' +
      'colour is no setting; lateFraction is NaN, expected a number from 0 to 1; toString is no setting',
  })
  for (const given of [null, [], 'seed', 1]) assert.throws(() => generatorSettings(given), /are not an object/)
})

test('settings that contradict each other are refused', () => {
  assert.throws(() => generatorSettings({ lateMinMs: 10, lateMaxMs: 9 }), /lateMinMs is 10, more than lateMaxMs, 9/)
  assert.throws(() => generatorSettings({ partitions: 2, silentPartition: 2 }), /silentPartition is 2, but there are 2/)
  assert.throws(() => generatorSettings({ partitions: 1, silentPartition: 0 }), /there is no other partition/)
  assert.throws(() => generatorSettings({ lateFraction: 0.6, malformedFraction: 0.5 }), /add up to 1.1, more than 1/)
})
