import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRemote } from './remote.ts'

const TOKEN = { SPARK_CONNECT_AUTHENTICATE_TOKEN: 'secret' }

test('an address has a host, and a port and settings when they are written', () => {
  assert.deepEqual(parseRemote('spark', {}), { address: 'spark:15002', tls: false, userId: 'millrace' })
  assert.deepEqual(parseRemote('sc://[::1]:7/;user_id=a%20b;use_ssl=true', {}), {
    address: '[::1]:7',
    tls: true,
    userId: 'a b',
  })
})

test('a token crosses a network only over TLS, unless somebody writes that it need not', () => {
  const tls = (remote: string, env = {}): boolean => parseRemote(remote, env).tls
  assert.equal(tls('sc://spark:15002', TOKEN), true)
  assert.equal(tls('sc://127.0.0.1:15002', TOKEN), false)
  assert.equal(tls('sc://localhost.evil.example', TOKEN), true)
  assert.equal(tls('sc://127.0.0.1:15002/;token=secret'), true)
  assert.equal(tls('sc://spark:15002/;use_ssl=false', TOKEN), false)
})

test('what is no address is refused without telling the token in it', () => {
  const wrong = ['spark://h:7077', 'http://h', 'h:99999', 'h:0', 'h h', '', 'h;token', 'h;=x', 'h;token=%', 'sc://a/b']
  for (const remote of wrong.flatMap((one) => [one, `${one};token=secret`])) {
    assert.throws(
      () => parseRemote(remote, {}),
      (error: Error & { code?: string }) => error.code === 'invalid-option' && !error.message.includes('secret'),
      remote,
    )
  }
})
