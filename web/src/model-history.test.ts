import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shopModel } from '../../test/support/shop-status.ts'
import { appendedLosses, type LossSample } from './model-history.ts'

test('each version of a model is one point, the newest 240 are kept, and a model that begins anew begins a new line', () => {
  let history: ReadonlyMap<string, readonly LossSample[]> = new Map()
  const see = (version: number): readonly LossSample[] => {
    history = appendedLosses(history, { models: [shopModel(version)] })
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
  assert.ok(all.every(({ loss, baseLoss }) => loss < baseLoss))
})
