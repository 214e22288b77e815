import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepSecret, keepSecrets, namesSecret, redact } from './redact.ts'

test('a secret is hidden as it is, in JSON and in a URL', () => {
  keepSecret('pa"ss/word 1')
  assert.equal(redact('it is pa"ss/word 1.'), 'it is [redacted].')
  assert.equal(redact(JSON.stringify({ a: 'pa"ss/word 1' })), '{"a":"[redacted]"}')
  assert.equal(redact(`?t=${encodeURIComponent('pa"ss/word 1')}`), '?t=[redacted]')
})

test('values are secret by their names', () => {
  for (const name of ['MILLRACE_TOKEN', 'DB_PASSWORD', 'token', 'client-secret', 'AWS_ACCESS_KEY', 'x_api_key'])
    assert.ok(namesSecret(name), name)
  for (const name of ['MILLRACE_TOKEN_FILE', 'KEYBOARD', 'monkey', 'TOKENS_MAX', 'PATH'])
    assert.ok(!namesSecret(name), name)
  keepSecrets([
    ['DB_PASSWORD', 'correct-horse'],
    ['DB_USER', 'battery-staple'],
  ])
  assert.equal(redact('battery-staple:correct-horse'), 'battery-staple:[redacted]')
})

test('a text too short to be a secret hides nothing else', () => {
  keepSecret('a')
  keepSecret('')
  assert.equal(redact('a banana'), 'a banana')
})
