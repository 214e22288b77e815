import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { COMMAND, runMillrace, temporaryFolder } from '../support/run-millrace.ts'

const RECORDER = pathToFileURL(join(import.meta.dirname, '../support/record-loads.ts')).href
const SPARK = /\/src\/spark\/|\/src\/cli\/spark\//
const GRPC = /@grpc|protobufjs/

test('npm start and millrace run load nothing of Spark; only what asks for Spark does', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(
    join(folder, 'visits.ndjson'),
    '{"event_time":"2026-11-26T10:00:00Z","user_id":"a","page_url":"/","event_type":"view"}\n',
  )
  const demo = await loaded(folder, 'demo', '--no-open', '--json', '--port', '0', '--duration', '1s', '--home', 'demo')
  const run = await loaded(folder, 'run', '--preset', 'user-activity', '--input', 'visits.ndjson', '--once')
  for (const urls of [demo, run]) {
    assert.ok(
      urls.some((url) => url.endsWith('/src/engine/pipeline.ts')),
      'the recorder sees the engine',
    )
    assert.deepEqual(
      urls.filter((url) => SPARK.test(url) || GRPC.test(url)),
      [],
    )
  }
  const plan = await loaded(folder, 'plan', '--preset', 'user-activity', '--spark')
  assert.ok(
    plan.some((url) => SPARK.test(url)),
    'the recorder sees Spark',
  )
  assert.deepEqual(
    plan.filter((url) => GRPC.test(url)),
    [],
  )
})

/** Addresses of the modules that the command has loaded. */
async function loaded(folder: string, ...args: string[]): Promise<string[]> {
  const file = join(folder, `loads-${args[0]}`)
  const { code, stderr } = await runMillrace(args, {
    cwd: folder,
    command: COMMAND, // Of the sources, whose files have names.
    env: { MILLRACE_TEST_LOADS: file, NODE_OPTIONS: `--import ${RECORDER}`, TMPDIR: folder },
  })
  assert.equal(code, 0, stderr)
  return (await readFile(file, 'utf8')).split('\n')
}
