import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseFailpoint } from './failpoint.ts'

test('count and action are taken from the end, so that names may contain colons', () => {
  assert.deepEqual(parseFailpoint('job:after-prepare'), { name: 'job:after-prepare', count: 1, action: 'exit' })
  assert.deepEqual(parseFailpoint('job:after-prepare:3'), { name: 'job:after-prepare', count: 3, action: 'exit' })
  assert.deepEqual(parseFailpoint('append:torn'), { name: 'append', count: 1, action: 'torn' })
  assert.deepEqual(parseFailpoint('a:b:12:throw'), { name: 'a:b', count: 12, action: 'throw' })
  assert.throws(() => parseFailpoint('3:exit'), /a failpoint has a name: "3:exit"/)
})

test('nothing happens when nothing is armed', () => {
  assert.deepEqual(run({}), { signal: null, output: 'one two two end' })
})

test('the process is killed at the count-th visit', () => {
  assert.deepEqual(run({ MILLRACE_FAILPOINT: 'two:2' }), { signal: 'SIGKILL', output: 'one two ' })
})

test('an armed throw is an error that the caller can handle', () => {
  assert.deepEqual(run({ MILLRACE_FAILPOINT: 'one:throw' }), { signal: null, output: 'unavailable' })
})

test('an armed torn write is told to the writer and to nobody else', () => {
  assert.deepEqual(run({ MILLRACE_FAILPOINT: 'three:torn' }), { signal: 'SIGKILL', output: 'one two two half' })
  assert.deepEqual(run({ MILLRACE_FAILPOINT: 'one:torn' }), { signal: null, output: 'one two two end' })
})

test('the trace names each place that was reached once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'failpoint-'))
  try {
    run({ MILLRACE_FAILPOINT_TRACE: join(folder, 'trace') })
    assert.equal(readFileSync(join(folder, 'trace'), 'utf8'), 'one\ntwo\nthree\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

const PROGRAM = `
  import { writeSync } from 'node:fs'
  import { die, failpoint, tornWrite } from '${new URL('./failpoint.ts', import.meta.url)}'
  try {
    for (const name of ['one', 'two', 'two']) {
      failpoint(name)
      writeSync(1, name + ' ')
    }
    if (tornWrite('three')) {
      writeSync(1, 'half')
      die()
    }
    writeSync(1, 'end')
  } catch (error) {
    writeSync(1, error.code)
  }`

function run(env: Record<string, string>): { signal: string | null; output: string } {
  const { signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    env,
    encoding: 'utf8',
  })
  return { signal, output: stdout }
}
