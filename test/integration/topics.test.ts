// Looking at topics, ending what runs, and beginning anew: B36.

import assert from 'node:assert/strict'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { runMillrace, startMillrace, temporaryFolder } from '../support/run-millrace.ts'

const LINES = '{"n":1}\n{"n":2}\n{"n":3}\n'

test('the last or the first records of a topic are shown; an empty one is waited for', async (t) => {
  const cwd = await temporaryFolder(t)
  const millrace = (args: readonly string[], input = '') => runMillrace(args, { cwd, input })
  await millrace(['topics', 'create', 'clicks', '--partitions', '1'])
  const none = await millrace(['topics', 'peek', 'clicks', '--timeout', '300ms'])
  assert.deepEqual([none.code, none.stdout, none.stderr], [0, '', 'the topic clicks is empty\n'])
  const waiting = startMillrace(t, ['topics', 'peek', 'clicks', '--timeout', '60s', '-n', '1'], { cwd })
  await millrace(['produce', '-', '--topic', 'clicks'], LINES)
  assert.match((await waiting.ended).stdout, /^0\/\d {2}\{"n":\d\}\n$/)
  assert.equal((await millrace(['topics', 'peek', 'clicks', '-n', '2'])).stdout, '0/1  {"n":2}\n0/2  {"n":3}\n')
  const first = await millrace(['topics', 'peek', 'clicks', '--from-beginning', '--count', '1', '--json'])
  assert.deepEqual(JSON.parse(first.stdout), { partition: 0, offset: 0, value: '{"n":1}' })
})

test('new records are shown as they come, until there were enough or Ctrl-C', async (t) => {
  const cwd = await temporaryFolder(t)
  await runMillrace(['produce', '-', '--topic', 'clicks'], { cwd, input: LINES })
  const enough = startMillrace(t, ['topics', 'tail', 'clicks', '-n', '2'], { cwd })
  const asked = startMillrace(t, ['topics', 'tail', 'clicks', '--json'], { cwd })
  await Promise.all([enough.says(/new records of clicks/), asked.says(/new records of clicks/)])
  await runMillrace(['produce', '-', '--topic', 'clicks'], { cwd, input: '{"n":4}\n{"n":5}\n{"n":6}\n' })
  const { code, stdout } = await enough.ended
  assert.equal(code, 0)
  assert.deepEqual(stdout.split('\n').length, 3)
  assert.doesNotMatch(stdout, /"n":[123]/)
  await asked.says(/"n\\":6/)
  asked.child.kill('SIGINT')
  assert.equal((await asked.ended).code, 0)
})

test('what runs in a home folder is ended cleanly, and then it can be wiped', async (t) => {
  const cwd = await temporaryFolder(t)
  const millrace = (...args: string[]) => runMillrace(args, { cwd })
  assert.deepEqual(
    [(await millrace('stop')).stderr, (await millrace('wipe', '--yes')).stderr].map((text) => text.split(' in ')[0]),
    ['nothing runs', 'there is nothing to remove'],
  )
  const generator = startMillrace(t, ['generate', '--preset', 'page-geo-sessions'], { cwd })
  await generator.says(/events\/s/)
  const job = startMillrace(t, ['run', '--preset', 'page-geo-sessions', '--output', 'out', '--trigger', '100ms'], {
    cwd,
  })
  await job.says(/epoch 1 /)
  const refused = await millrace('wipe', '--yes')
  assert.equal(refused.code, 3)
  assert.match(refused.stderr, /in use by millrace .*\n {2}hint: `millrace stop` ends it first/)
  const stopped = await millrace('stop', '--json')
  assert.equal(stopped.code, 0, stopped.stderr)
  assert.deepEqual(
    (JSON.parse(stopped.stdout) as { pid: number }[]).map(({ pid }) => pid).sort(),
    [generator.child.pid, job.child.pid].sort(),
  )
  assert.deepEqual([(await generator.ended).code, (await job.ended).code], [0, 0])

  await writeFile(join(cwd, 'home', 'mine.txt'), '')
  await mkdir(join(cwd, 'out', 'mine'))
  const told = await millrace('wipe', '--output', 'out')
  assert.equal(told.code, 2)
  assert.match(told.stdout, /home\/log\n.*home\/checkpoints\n/)
  assert.match(told.stderr, /nothing was removed.*\n {2}hint: add --yes/)
  const kept = await millrace('wipe', '--output', 'out', '--keep-log', '--yes')
  assert.equal(kept.code, 0, kept.stderr)
  assert.deepEqual((await readdir(join(cwd, 'home'))).sort(), ['log', 'mine.txt'])
  assert.deepEqual(
    (await readdir(join(cwd, 'out'), { recursive: true })).filter(
      (name) => /parquet$|csv$/.test(name) && /part-/.test(name),
    ),
    [],
  )
  assert.ok((await readdir(join(cwd, 'out'))).includes('mine'))
  assert.equal((await millrace('wipe', '--yes')).code, 0)
  assert.deepEqual(await readdir(join(cwd, 'home')), ['mine.txt'])
})
