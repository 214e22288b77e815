import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shopModel } from '../../test/support/shop-status.ts'
import { appendedSamples, type ModelSample, marksOf } from './model-history.ts'

test('each version of a model is one point, the newest 240 are kept, and a model that begins anew begins a new line', () => {
  let history: ReadonlyMap<string, readonly ModelSample[]> = new Map()
  const see = (version: number): readonly ModelSample[] => {
    history = appendedSamples(history, { models: [shopModel(version)] })
    return history.get('purchase') ?? []
  }
  assert.equal(see(10).length, 1)
  assert.equal(see(10).length, 1)
  assert.equal(see(11).length, 2)
  assert.deepEqual(
    see(5).map(({ version }) => version),
    [5],
  )
  for (let version = 6; version < 500; version++) see(version)
  const all = see(500)
  assert.deepEqual([all.length, all.at(0)?.version, all.at(-1)?.version], [240, 261, 500])
  assert.ok(all.every(({ loss, baseLoss, auc }) => loss < baseLoss && auc === 0.817))
  assert.equal(all.at(-1)?.weights.get('device=mobile'), -0.3312)
})

test('events have their places among the versions that were seen; older ones have none, nor have commands that were refused', () => {
  const samples = [100, 150, 300].flatMap(
    (version) => appendedSamples(new Map(), { models: [shopModel(version)] }).get('purchase') ?? [],
  )
  const event = (kind: 'drift' | 'refused', version: number) => {
    return { kind, version, outcome: version, predicted: version, toVersion: null, reason: '' }
  }
  const events = [event('drift', 99), event('drift', 100), event('refused', 150), event('drift', 250)]
  assert.deepEqual(
    marksOf(samples, events).map(({ place, event: { version } }) => [version, place]),
    [
      [100, 0],
      [250, 0.75],
    ],
  )
  assert.deepEqual(marksOf(samples.slice(0, 1), events), [])
})
