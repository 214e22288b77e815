import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { freshTopic, openTestLog, testKafka } from '../../test/support/kafka.ts'
import { draftOf } from '../../test/support/log-records.ts'
import { requirement } from '../../test/support/requirement.ts'
import { VirtualClock } from '../base/clock.ts'
import { MillraceError } from '../base/error.ts'
import { openEmbeddedLog } from '../log/embedded-log.ts'
import type { Log } from '../log/log.ts'
import { MemoryLog } from '../log/memory-log.ts'
import { logSource } from '../plan/connectors.ts'
import { createSource } from './index.ts'
import type { Source } from './source.ts'

/** What one process writes and another one reads. */
interface Logs {
  readonly writing: Log
  readonly reading: Log
}

const LOGS: Readonly<Record<string, { open(t: TestContext): Promise<Logs>; needs?: ReturnType<typeof requirement> }>> =
  {
    'the memory log': {
      open: async () => {
        const log = new MemoryLog()
        return { writing: log, reading: log }
      },
    },
    'the embedded log': { open: openEmbedded },
    'a Kafka cluster': { open: openKafka, needs: requirement('kafka') },
  }

for (const [name, { open, needs }] of Object.entries(LOGS)) {
  test(`${name}: a topic that appears while it is waited for is read`, needs ?? {}, async (t) => {
    const { writing, reading } = await open(t)
    const topic = freshTopic('awaited')
    const told: string[] = []
    let pauses = 0
    // Somebody makes the topic in the third pause, and sends into it.
    const clock = {
      now: () => 0,
      sleep: async () => {
        if (++pauses !== 3) return
        await writing.createTopic(topic, { partitions: 1 })
        await writing.append(topic, 0, draftOf('first', 'second'))
      },
    }
    const source = await sourceOf(topic, reading, { clock, report: (text) => told.push(text) })
    assert.equal(pauses, 3)
    assert.equal(told.length, 1)
    assert.ok(told[0]?.startsWith(`waiting for the topic "${topic}" `), told[0])
    const [partition] = await source.partitions()
    assert.equal(partition?.id, `${topic}-0`)
    let records = 0
    for await (const piece of source.read(partition.id, 0, 2, new AbortController().signal))
      records += piece.recordCount
    assert.equal(records, 2)
    await source.close()
  })
}

test('a topic that does not appear within five seconds is named, with the nearest one that is', async () => {
  const log = new MemoryLog()
  await log.createTopic('clickstream', { partitions: 1 })
  const clock = new VirtualClock()
  await assert.rejects(
    sourceOf('clickstraem', log, { clock }),
    new MillraceError('invalid-option', 'there is no topic "clickstraem" in the log', {
      hint: 'did you mean "clickstream"?; `millrace generate --topic clickstraem` makes one with synthetic events, with --preset those of a preset',
    }),
  )
  assert.equal(clock.now(), 5_000)
})

function sourceOf(topic: string, log: Log, wait: Partial<Parameters<typeof createSource>[1]>): Promise<Source> {
  return createSource(logSource(topic), {
    workingFolder: '/',
    stdin: process.stdin,
    openLog: async () => log,
    ...wait,
  })
}

async function openEmbedded(t: TestContext): Promise<Logs> {
  const root = await mkdtemp(join(tmpdir(), 'millrace-topic-wait-'))
  const writing = await openEmbeddedLog(root, { mode: 'write' })
  const reading = await openEmbeddedLog(root, { mode: 'read' })
  t.after(async () => {
    await reading.close()
    await writing.close()
    await rm(root, { recursive: true })
  })
  return { writing, reading }
}

async function openKafka(t: TestContext): Promise<Logs> {
  const { bootstrap } = await testKafka()
  const [writing, reading] = [await openTestLog(bootstrap), await openTestLog(bootstrap)]
  t.after(() => Promise.all([writing.close(), reading.close()]))
  return { writing, reading }
}
