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

test('a setting that is not known is refused, with those that are', () => {
  const wrong: Readonly<Record<string, string>> = {
    'sc://h:1/;foo=bar': `"foo" is no setting of a Connect server's address`,
    'sc://h:1/;use_tls=true;token=secret': `"use_tls" is no setting of a Connect server's address`,
    'sc://h:1/;ey0Secret0=': `what is before a "=" is no setting of a Connect server's address`,
    'sc://h:1/;use_ssl=yes': 'use_ssl is neither true nor false',
  }
  for (const [remote, message] of Object.entries(wrong)) {
    assert.throws(() => parseRemote(remote, {}), {
      code: 'invalid-option',
      message,
      hint: /known are token, use_ssl, user_id/,
    })
  }
  assert.equal(parseRemote('sc://h/;use_ssl=TRUE', {}).tls, true)
})

test('a token that no header can hold is refused without being shown', () => {
  const none = { message: 'the token for Spark is empty' }
  const odd = { message: 'the token for Spark has characters that no header takes, such as a line break' }
  assert.equal('token' in parseRemote('h', { SPARK_CONNECT_AUTHENTICATE_TOKEN: '' }), false)
  assert.throws(() => parseRemote('h;token=', {}), none)
  assert.throws(() => parseRemote('h', { SPARK_CONNECT_AUTHENTICATE_TOKEN: 'secret\n' }), odd)
  assert.throws(() => parseRemote('h;token=s%00t', {}), odd)
})
