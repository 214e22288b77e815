/** The embedded log on a real disk, shared by real processes. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { draftOf, readValues, valuesIn } from '../../test/support/log-records.ts'
import { MillraceError } from '../base/error.ts'
import { openEmbeddedLog } from './embedded-log.ts'

const parent = mkdtempSync(join(tmpdir(), 'embedded-log-'))
after(() => rmSync(parent, { recursive: true }))

test('a second writer is told who writes; readers are welcome', async () => {
  const root = join(parent, 'shared')
  const log = await openEmbeddedLog(root, { mode: 'write', who: 'the demo' })
  await log.createTopic('events', { partitions: 1 })
  await assert.rejects(openEmbeddedLog(root, { mode: 'write', who: 'the collector' }), (error) => {
    assert.ok(error instanceof MillraceError && error.code === 'unavailable')
    assert.ok(error.message.startsWith(`${root} is in use by the demo (process ${process.pid}, since `), error.message)
    return true
  })
  const reader = await openEmbeddedLog(root, { mode: 'read' })
  assert.deepEqual(await reader.offsets('events', 0), { start: 0, end: 0 })
  await log.close()
  await (await openEmbeddedLog(root, { mode: 'write' })).close()
})

test('another process sees appended records in order, soon, and only whole ones', async () => {
  const root = join(parent, 'followed')
  const writer = startWriter(root, 'batch < 300')
  await firstOutput(writer)
  const reader = await openEmbeddedLog(root, { mode: 'read' })
  const seen: string[] = []
  for (let offset = 0; offset < 600; ) {
    await reader.waitForRecords('events', 0, offset, AbortSignal.timeout(30_000))
    for (const batch of await reader.read('events', 0, offset, 1_000)) {
      seen.push(...valuesIn(batch))
      offset = batch.endOffset
    }
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 600 }, (_, index) => `${index >> 1}${'ab'[index % 2]}`),
  )
  const aborted = new AbortController()
  const waiting = reader.waitForRecords('events', 0, 600, aborted.signal)
  aborted.abort()
  await waiting
  await reader.close()
  await ended(writer)
})

test('a killed writer loses nothing that it acknowledged, and the next one goes on behind it', async () => {
  const root = join(parent, 'killed')
  let acknowledged = 0
  for (let round = 0; round < 3; round++) {
    const writer = startWriter(root, 'true')
    acknowledged = await lastOffsetBeforeKill(writer, 20 + round * 10)
    const log = await openEmbeddedLog(root, { mode: 'write' })
    const values = await readValues(log, 'events', 0)
    assert.ok(values.size >= acknowledged, `${values.size} records, ${acknowledged} acknowledged`)
    assert.equal((await log.append('events', 0, draftOf('between', 'lives'))).baseOffset, values.size)
    await log.close()
  }
})

/** Appends batches of two, each after the one before was acknowledged, and prints the end offset. */
function startWriter(root: string, condition: string): ChildProcess {
  const program = `
    import { writeSync } from 'node:fs'
    import { openEmbeddedLog } from '${new URL('./embedded-log.ts', import.meta.url)}'
    import { draftOf } from '${new URL('../../test/support/log-records.ts', import.meta.url)}'
    const log = await openEmbeddedLog('${root}', { mode: 'write' })
    await log.createTopic('events', { partitions: 1, segmentBytesMax: 2_000 })
    for (let batch = 0; ${condition}; batch++) {
      const { baseOffset } = await log.append('events', 0, draftOf(batch + 'a', batch + 'b'))
      writeSync(1, (baseOffset + 2) + '\\n')
    }
    await log.close()`
  return spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function firstOutput(child: ChildProcess): Promise<void> {
  assert.ok(child.stdout)
  await once(child.stdout, 'data')
  child.stdout.resume()
}

/** Kills the writer when it has acknowledged so many batches; resolves to the last end offset that it printed. */
async function lastOffsetBeforeKill(child: ChildProcess, batches: number): Promise<number> {
  assert.ok(child.stdout)
  let output = ''
  let killed = false
  for await (const chunk of child.stdout) {
    output += String(chunk)
    if (!killed && output.split('\n').length > batches) killed = child.kill('SIGKILL')
  }
  await ended(child)
  assert.equal(child.signalCode, 'SIGKILL')
  return Number(output.slice(0, output.lastIndexOf('\n')).split('\n').at(-1))
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
