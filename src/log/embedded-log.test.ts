import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { FaultyFiles } from '../../test/support/faulty-files.ts'
import { draftOf, noLock, readValues, StandingClock } from '../../test/support/log-records.ts'
import { MillraceError } from '../base/error.ts'
import { type EmbeddedLog, type FsyncPolicy, openEmbeddedLog } from './embedded-log.ts'

const SEGMENT = '/log/events-0/00000000000000000000.log'
const PUBLISHED = '/log/events-0/published'

test('what a crash left of the last batch is cut off, wherever it ends, and its offsets are used again', async () => {
  const { files, bytesBefore, publishedBefore } = await logWithUnpublishedBatch()
  const whole = files.content(SEGMENT)
  for (const published of ['older', 'missing']) {
    for (let length = bytesBefore; length < whole.length; length++) {
      files.setContent(SEGMENT, whole.subarray(0, length))
      if (published === 'older') files.setContent(PUBLISHED, publishedBefore)
      else await files.unlink(PUBLISHED)
      const log = await open(files)
      assert.deepEqual(await log.offsets('events', 0), { start: 0, end: 3 })
      const cut = `events-0 ends at offset 3: ${length - bytesBefore} bytes of unfinished appends behind it were cut off`
      assert.deepEqual(log.notices, length === bytesBefore ? [] : [cut])
      assert.equal((await log.append('events', 0, draftOf('next'))).baseOffset, 3)
      assert.deepEqual([...(await readValues(log, 'events', 0)).values()], ['a', 'b', 'c', 'next'])
      await log.close()
    }
  }
})

test('a last batch that is whole is kept, though its writer died before saying so', async () => {
  const { files, publishedBefore } = await logWithUnpublishedBatch()
  files.setContent(PUBLISHED, publishedBefore)
  const log = await open(files)
  assert.deepEqual([...(await readValues(log, 'events', 0)).values()], ['a', 'b', 'c', 'd', 'e'])
  assert.deepEqual(log.notices, [])
  files.powerCut()
  assert.equal((await readValues(await open(files), 'events', 0)).size, 5, 'it was synced before it was shown')
})

test('durable bytes that are missing are data loss, not a torn tail', async () => {
  const { files, bytesBefore } = await logWithUnpublishedBatch()
  const whole = files.content(SEGMENT)
  files.setContent(SEGMENT, whole.subarray(0, bytesBefore))
  await assert.rejects(open(files), {
    code: 'data-loss',
    message: `${SEGMENT} has ${bytesBefore} bytes, ${whole.length} had been made durable`,
  })
})

test('a missing newest segment is data loss', async () => {
  const files = await logWithTwoSegments()
  await files.unlink('/log/events-0/00000000000000000003.log')
  await assert.rejects(open(files), {
    code: 'data-loss',
    message: '/log/events-0 has lost segments: the newest begins at offset 0, 3 was published',
  })
})

test('a flipped bit anywhere in a segment is an error that names the file; only the leader epoch means nothing', async () => {
  const secondBatchAt = 61 + draftOf('a', 'b').records.length
  for (const base of [0, 3]) {
    const files = await logWithTwoSegments()
    const path = `/log/events-0/${String(base).padStart(20, '0')}.log`
    const unseen = await flipsUnseen(files, path)
    const leaderEpochs = base === 0 ? [12, secondBatchAt + 12] : [12]
    const expected = leaderEpochs.flatMap((at) => [at, at + 1, at + 2, at + 3])
    assert.deepEqual([...new Set(unseen.map((bit) => bit >> 3))], expected)
  }
})

test('a flipped bit anywhere in the published end changes nothing', async () => {
  const files = await logWithTwoSegments()
  const clean = files.content(PUBLISHED)
  for (let bit = 0; bit < clean.length * 8; bit++) {
    files.setContent(PUBLISHED, clean)
    files.flipBit(PUBLISHED, bit)
    const reader = openEmbeddedLog('/log', { mode: 'read', fileSystem: files })
    await assert.rejects((await reader).offsets('events', 0), { code: 'corrupt-data' })
    assert.equal((await readValues(await open(files), 'events', 0)).size, 5)
  }
})

test('without a published end a bad batch before a valid one is damage, not a torn tail', async () => {
  const files = await logWithTwoSegments(1_000)
  const clean = files.content(SEGMENT)
  for (let bit = 0; bit < clean.length * 8; bit += 3) {
    files.setContent(SEGMENT, clean)
    files.flipBit(SEGMENT, bit)
    await files.unlink(PUBLISHED)
    const found = await open(files).then(
      async (log) => ({ values: [...(await readValues(log, 'events', 0)).values()], notices: log.notices }),
      (error: unknown) => error,
    )
    if (found instanceof MillraceError) assert.equal(found.code, 'corrupt-data')
    else {
      assert.ok(!(found instanceof Error), String(found))
      const { values, notices } = found as { values: string[]; notices: readonly string[] }
      if (values.length < 5) assert.equal(notices.length, 1)
      assert.deepEqual(values, ['a', 'b', 'c', 'd', 'e'].slice(0, values.length))
      assert.ok(values.length >= 3, 'only the last batch may go')
    }
    files.setContent(SEGMENT, clean)
    await (await open(files)).close()
  }
})

for (const fsync of ['always', 'interval'] as const) {
  test(`an append counts, and can be read, when it survives a power cut (fsync ${fsync})`, async () => {
    const files = new FaultyFiles()
    const log = await open(files, fsync)
    await log.createTopic('events', { partitions: 1 })
    const reader = await openEmbeddedLog('/log', { mode: 'read', fileSystem: files })
    await log.append('events', 0, draftOf('a'))
    assert.deepEqual(await reader.offsets('events', 0), { start: 0, end: 1 })
    files.faults.syncsUntilFailure = 1
    await assert.rejects(log.append('events', 0, draftOf('b')), { code: 'data-loss' })
    assert.deepEqual(await log.offsets('events', 0), { start: 0, end: 1 })
    assert.deepEqual(await reader.offsets('events', 0), { start: 0, end: 1 })
    files.faults.syncsUntilFailure = Number.POSITIVE_INFINITY
    await assert.rejects(
      log.append('events', 0, draftOf('c')),
      { code: 'data-loss' },
      'a broken partition stays broken',
    )
    await log.close()
    files.powerCut()
    assert.deepEqual([...(await readValues(await open(files), 'events', 0))], [[0, 'a']])
  })
}

test('fsync never: a power cut may take acknowledged records, and the log says how many', async () => {
  const files = new FaultyFiles()
  const log = await open(files, 'never')
  await log.createTopic('events', { partitions: 1 })
  await log.append('events', 0, draftOf('a', 'b'))
  const published = files.content(PUBLISHED)
  files.powerCut()
  files.setContent(PUBLISHED, published)
  const again = await open(files, 'never')
  assert.deepEqual(again.notices, [
    'events-0 ends at offset 0: 2 records were never made durable (fsync: never) and are lost',
  ])
})

test('a log that is closed twice is closed once', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-log-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const log = await openEmbeddedLog(join(folder, 'log'), { mode: 'write' })
  await log.createTopic('events', { partitions: 1 })
  await log.append('events', 0, draftOf('a'))
  await Promise.all([log.close(), log.close()])
  await log.close()
  const next = await openEmbeddedLog(join(folder, 'log'), { mode: 'write' })
  await next.close()
})

test('a full disk refuses appends until there is room again, without a gap or a half batch', async () => {
  const files = new FaultyFiles()
  const log = await open(files)
  await log.createTopic('events', { partitions: 1 })
  await log.append('events', 0, draftOf('a'))
  files.faults.bytesFree = 30
  await assert.rejects(log.append('events', 0, draftOf('lost', 'lost')), { code: 'unavailable' })
  files.faults.bytesFree = 1_000
  assert.equal((await log.append('events', 0, draftOf('b'))).baseOffset, 1)
  await log.close()
  assert.deepEqual([...(await readValues(await open(files), 'events', 0)).values()], ['a', 'b'])
})

test('appends behind one that failed fail too when they say where they must begin, whenever they were asked for', async () => {
  const files = new FaultyFiles()
  const log = await open(files)
  await log.createTopic('events', { partitions: 1 })
  await log.append('events', 0, draftOf('a'))
  files.faults.bytesFree = 100
  const large = log.append('events', 0, { ...draftOf('x'.repeat(200)), baseOffset: 1 })
  const small = log.append('events', 0, { ...draftOf('b'), baseOffset: 2 })
  const afterwards = large.catch(() => log.append('events', 0, { ...draftOf('c'), baseOffset: 3 }))
  await assert.rejects(large, { code: 'unavailable' })
  await assert.rejects(small, { code: 'incompatible-state' })
  await assert.rejects(afterwards, { code: 'incompatible-state' })
  files.faults.bytesFree = 1_000
  assert.equal((await log.append('events', 0, { ...draftOf('d'), baseOffset: 1 })).baseOffset, 1)
  await log.close()
})

test('appends that come together share a write and a sync', async () => {
  const files = new FaultyFiles()
  const log = await open(files)
  await log.createTopic('events', { partitions: 1 })
  await log.append('events', 0, draftOf('first'))
  const before = files.calls
  await log.append('events', 0, draftOf('alone'))
  const callsAlone = files.calls - before
  await Promise.all(Array.from({ length: 100 }, (_, index) => log.append('events', 0, draftOf(`${index}`))))
  assert.ok(files.calls - before - callsAlone <= 3 * callsAlone, `${files.calls - before} calls for 100 appends`)
  assert.equal((await readValues(log, 'events', 0)).get(101), '99')
})

test('segments are read across their borders, from any offset, however little a read may take', async () => {
  const files = new FaultyFiles()
  const log = await open(files)
  await log.createTopic('events', { partitions: 1, segmentBytesMax: 200 })
  for (let count = 0; count < 20; count++) await log.append('events', 0, draftOf(`${count}`, `${count}'`))
  for (const bytesMax of [1, 150, 1e6]) {
    assert.deepEqual(
      [...(await readValues(log, 'events', 0, bytesMax)).values()],
      Array.from({ length: 40 }, (_, index) => (index % 2 ? `${index >> 1}'` : `${index >> 1}`)),
    )
  }
  for (let offset = 39; offset >= 0; offset--) {
    const [first] = await log.read('events', 0, offset, 1)
    assert.equal(first.baseOffset, offset - (offset % 2))
  }
  await log.close()
  const reopened = await open(files)
  assert.equal((await readValues(reopened, 'events', 0)).size, 40)
  assert.deepEqual(await reopened.describeTopic('events'), {
    topic: 'events',
    settings: { partitions: 1, segmentBytesMax: 200 },
    offsets: [{ start: 0, end: 40 }],
    bytes: (await files.readdir('/log/events-0'))
      .filter((name) => name.endsWith('.log'))
      .reduce((total, name) => total + files.content(`/log/events-0/${name}`).length, 0),
  })
})

test('batches larger than any window are written, recovered and read', async () => {
  const { files, publishedBefore } = await logWithUnpublishedBatch('x'.repeat(6_000_000))
  files.setContent(PUBLISHED, publishedBefore)
  const log = await open(files)
  const values = [...(await readValues(log, 'events', 0, 100)).values()]
  assert.deepEqual(
    values.map((value) => value.length),
    [1, 1, 1, 6_000_000, 1],
  )
})

test('settings and the name of the log outlive the process; another log has another name', async () => {
  const files = new FaultyFiles()
  const log = await open(files)
  const settings = { partitions: 2, labels: { seed: '7' }, retentionMs: 1_000 }
  await log.createTopic('events', settings)
  await log.close()
  const again = await open(files)
  assert.equal(again.name, log.name)
  assert.deepEqual((await again.describeTopic('events'))?.settings, settings)
  await assert.rejects(again.createTopic('events', { partitions: 3 }), { code: 'invalid-option' })
  assert.notEqual((await open(new FaultyFiles())).name, log.name)
})

test('damaged settings of a topic are an error, not another topic', async () => {
  const files = await logWithTwoSegments()
  files.setContent('/log/topics/events.json', Buffer.from('{"partitions":'))
  await assert.rejects(open(files), {
    code: 'corrupt-data',
    message: '/log/topics/events.json is damaged: it does not hold the settings of a topic',
  })
})

test('a log that is open for reading, or closed, does not write', async () => {
  const files = await logWithTwoSegments()
  const reader = await openEmbeddedLog('/log', { mode: 'read', fileSystem: files })
  const refusal = { code: 'invalid-option', message: 'the log in /log is not open for writing' }
  await assert.rejects(reader.append('events', 0, draftOf('x')), refusal)
  await assert.rejects(reader.createTopic('more', { partitions: 1 }), refusal)
  const writer = await open(files)
  await writer.close()
  await assert.rejects(writer.append('events', 0, draftOf('x')), refusal)
  const nowhere = openEmbeddedLog('/nowhere', { mode: 'read', fileSystem: files })
  await assert.rejects(nowhere, { code: 'invalid-option', message: 'there is no log in /nowhere' })
})

test('a reader goes on when retention has removed what it knew of', async () => {
  const files = new FaultyFiles()
  const log = await open(files)
  await log.createTopic('events', { partitions: 1, segmentBytesMax: 1, retentionBytesMax: 250 })
  const reader = await openEmbeddedLog('/log', { mode: 'read', fileSystem: files })
  for (let count = 0; count < 3; count++) await log.append('events', 0, draftOf(`${count}`))
  assert.equal((await readValues(reader, 'events', 0)).get(0), '0')
  for (let count = 3; count < 9; count++) await log.append('events', 0, draftOf(`${count}`))
  await assert.rejects(reader.read('events', 0, 0, 100), {
    code: 'data-loss',
    message: 'events-0 begins at offset 6, offset 0 is gone',
  })
  assert.deepEqual(
    [...(await readValues(reader, 'events', 0))],
    [
      [6, '6'],
      [7, '7'],
      [8, '8'],
    ],
  )
})

test('close waits for every append that was asked for', async () => {
  const files = new FaultyFiles()
  const log = await open(files)
  await log.createTopic('events', { partitions: 1, segmentBytesMax: 150 })
  const appends = Promise.all(Array.from({ length: 20 }, (_, index) => log.append('events', 0, draftOf(`${index}`))))
  await log.close()
  assert.equal((await appends).at(-1)?.baseOffset, 19)
  files.powerCut()
  assert.equal((await readValues(await open(files), 'events', 0)).size, 20)
})

function open(files: FaultyFiles, fsync: FsyncPolicy = 'interval'): Promise<EmbeddedLog> {
  const clock = new StandingClock(1_000)
  return openEmbeddedLog('/log', { mode: 'write', fsync, clock, fileSystem: files, lock: noLock })
}

/** Batches `a b`, `c`, and `d e`; what was published before the last one came. */
async function logWithUnpublishedBatch(
  d = 'd',
): Promise<{ files: FaultyFiles; bytesBefore: number; publishedBefore: Uint8Array }> {
  const files = new FaultyFiles()
  const log = await open(files)
  await log.createTopic('events', { partitions: 1 })
  await log.append('events', 0, draftOf('a', 'b'))
  await log.append('events', 0, draftOf('c'))
  const publishedBefore = files.content(PUBLISHED)
  const bytesBefore = files.content(SEGMENT).length
  await log.append('events', 0, draftOf(d, 'e'))
  await log.close()
  return { files, bytesBefore, publishedBefore }
}

/** Batches `a b`, `c`, `d e`, the last one in a segment of its own unless segments are larger. */
async function logWithTwoSegments(segmentBytesMax = 160): Promise<FaultyFiles> {
  const files = new FaultyFiles()
  const log = await open(files)
  await log.createTopic('events', { partitions: 1, segmentBytesMax })
  for (const draft of [draftOf('a', 'b'), draftOf('c'), draftOf('d', 'e')]) await log.append('events', 0, draft)
  await log.close()
  return files
}

/** Reads everything with each bit flipped in turn; resolves to those that went unseen because they changed nothing. */
async function flipsUnseen(files: FaultyFiles, path: string): Promise<number[]> {
  const clean = files.content(path)
  const unseen: number[] = []
  for (let bit = 0; bit < clean.length * 8; bit++) {
    files.flipBit(path, bit)
    try {
      const values = [...(await readValues(await open(files), 'events', 0)).values()]
      assert.deepEqual(values, ['a', 'b', 'c', 'd', 'e'])
      unseen.push(bit)
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      assert.equal(error.code, 'corrupt-data')
      assert.ok(error.message.startsWith(`${path} is damaged: no valid record batch at byte `), error.message)
    }
    files.setContent(path, clean)
  }
  return unseen
}
