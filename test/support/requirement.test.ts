import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import { required, requirement } from './requirement.ts'

const { CHROMIUM_PATH, MILLRACE_REQUIRE, PATH } = process.env

afterEach(() => setEnvironment({ CHROMIUM_PATH, MILLRACE_REQUIRE, PATH }))

test('what is there is not skipped, demanded or not', () => {
  setEnvironment({ CHROMIUM_PATH: '/opt/chromium', MILLRACE_REQUIRE: '' })
  assert.deepEqual(requirement('chromium'), { skip: false })
  setEnvironment({ MILLRACE_REQUIRE: 'data, chromium' })
  assert.deepEqual(requirement('chromium'), { skip: false })
  assert.equal(required('chromium'), '/opt/chromium')
})

test('what is missing is skipped, and the reason says how to get it', () => {
  setEnvironment({ CHROMIUM_PATH: undefined, MILLRACE_REQUIRE: 'kafka', PATH: '' })
  assert.match(String(requirement('chromium').skip), /^chromium is missing: .*apt-get install chromium/)
})

test('what is missing although it is demanded throws', () => {
  setEnvironment({ CHROMIUM_PATH: undefined, MILLRACE_REQUIRE: 'data,chromium', PATH: '' })
  assert.throws(() => requirement('chromium'), /chromium is missing/)
})

test('a demand for something unknown throws', () => {
  setEnvironment({ MILLRACE_REQUIRE: 'chrome' })
  assert.throws(() => requirement('chromium'), /MILLRACE_REQUIRE names chrome; known are chromium, data/)
})

function setEnvironment(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}
