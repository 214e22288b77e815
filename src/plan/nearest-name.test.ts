import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameHint, nearestName } from './nearest-name.ts'

const names = ['page_url', 'user_id', 'country', 'os']

test('a name with a slip of the pen is found', () => {
  assert.equal(nearestName('pageurl', names), 'page_url')
  assert.equal(nearestName('page_ulr', names), 'page_url')
  assert.equal(nearestName('User_Id', names), 'user_id')
  assert.equal(nearestName('userid', names), 'user_id')
  assert.equal(nearestName('contry', names), 'country')
})

test('a name that has little to do with any other is not guessed', () => {
  assert.equal(nearestName('revenue', names), undefined)
  assert.equal(nearestName('xx', names), undefined)
  assert.equal(nearestName('', names), undefined)
})

test('the nearest of several is taken', () => {
  assert.equal(nearestName('window_stat', ['window_end', 'window_start']), 'window_start')
})

test('without a guess, the hint lists what there is', () => {
  assert.equal(nameHint('userid', names), 'did you mean "user_id"?')
  assert.equal(nameHint('revenue', names), 'choose one of page_url, user_id, country, os')
  assert.equal(nameHint('revenue', []), 'there is none to choose from')
})

test('very long names are compared by their beginning', () => {
  const beginning = 'page_url'.repeat(8)
  assert.equal(nearestName(`${beginning}${'x'.repeat(1_000_000)}`, [beginning]), beginning)
  assert.equal(nearestName('x'.repeat(1_000_000), names), undefined)
})
