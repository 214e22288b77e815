import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { startRedis } from '../../../test/support/redis.ts'
import { requirement } from '../../../test/support/requirement.ts'
import { SINK_FIELDS, type SinkRow, sinkBatch } from '../../../test/support/sink-rows.ts'
import { type FileSystem, nodeFileSystem } from '../../base/file-system.ts'
import type { LatestFileSinkSpec, RedisSinkSpec } from '../../plan/connectors.ts'
import { createSink } from '../index.ts'
import type { PreparedOutput, Sink } from '../sink.ts'

/** Where the newest texts of a test are. */
interface Place {
  readonly spec: LatestFileSinkSpec | RedisSinkSpec
  readonly folder: string
  /** By key, without marks. */
  texts(): Promise<Record<string, string>>
  /** Loses everything. */
  lose(): Promise<void>
}

/** The text is the page itself, so that each row has a key of its own; a key with views would not be of one text. */
const PLACES: Readonly<Record<string, (t: TestContext) => Promise<Place>>> = {
  Redis: async (t) => {
    const [redis, folder] = [await startRedis(t), await temporaryFolder(t)]
    return {
      spec: { kind: 'redis', url: redis.url, key: 'page:{page}', value: 'page' },
      folder,
      texts: async () => {
        const keys = (await redis.keys()).filter((key) => key.startsWith('page:'))
        const entries = keys.map(async (key) => [key.slice('page:'.length), await redis.get(key)] as const)
        return Object.fromEntries(await Promise.all(entries)) as Record<string, string>
      },
      lose: () => redis.flush(),
    }
  },
  files: async (t) => {
    const folder = await temporaryFolder(t)
    const files = join(folder, 'pages')
    return {
      spec: { kind: 'latest-file', file: 'pages/{page}.txt', value: 'page' },
      folder,
      texts: async () => {
        const names = (await readdir(files).catch(() => [])).filter((name) => !name.endsWith('.mark.json'))
        const entries = names.map(async (name) => {
          const text = await readFile(join(files, name), 'utf8')
          return [decodeURIComponent(name.slice(0, -'.txt'.length)), text.trimEnd()] as const
        })
        return Object.fromEntries(await Promise.all(entries))
      },
      lose: () => rm(files, { recursive: true, force: true }),
    }
  },
}

for (const [name, placeOf] of Object.entries(PLACES)) {
  describe(`the newest texts in ${name}`, name === 'Redis' ? requirement('redis') : {}, () => {
    test('are there when an epoch is certain, not before, and setting them again changes nothing', async (t) => {
      const place = await placeOf(t)
      const sink = await opened(t, place, 1)
      const prepared = await sink.prepare(at(1), rows('/a', '../b'))
      assert.deepEqual(await place.texts(), {})
      await sink.commit(at(1), prepared)
      await sink.commit(at(1), prepared)
      assert.deepEqual(await place.texts(), { '/a': '/a', '../b': '../b' })
      assert.deepEqual(await sink.progress(), { owner: 'run-1', epoch: 1, fence: 1, hash: 'h1' })
    })

    test('are those that a dead process prepared, when the next one commits them', async (t) => {
      const place = await placeOf(t)
      const prepared = await (await opened(t, place, 1)).prepare(at(1), rows('/a'))
      const next = await opened(t, place, 2)
      await next.commit({ ...at(1), fence: 2 }, prepared)
      assert.deepEqual(await place.texts(), { '/a': '/a' })
    })

    test('are never those of a process that was replaced, nor older ones', async (t) => {
      const place = await placeOf(t)
      const old = await opened(t, place, 1)
      const stale = await old.prepare(at(2), rows('/stale'))
      const next = await opened(t, place, 2)
      await commit(next, 3, rows('/new'))
      await assert.rejects(old.commit(at(2), stale), { code: 'incompatible-state' })
      await assert.rejects(opened(t, place, 1), { code: 'incompatible-state' })
      // What was committed before, committed again after a crash.
      await next.commit({ ...at(2), fence: 2 }, stale)
      assert.deepEqual(await place.texts(), { '/new': '/new' })
    })

    test('are not those of a process that is replaced between its look at the mark and its move', async (t) => {
      const place = await placeOf(t)
      let meanwhile: (() => Promise<void>) | undefined
      const slowFiles: FileSystem = {
        ...nodeFileSystem,
        open: async (path, flags) => {
          if (path.includes('/outbox/')) {
            const happens = meanwhile
            meanwhile = undefined
            await happens?.()
          }
          return nodeFileSystem.open(path, flags)
        },
      }
      const old = await opened(t, place, 1, 'run-1', slowFiles)
      const stale = await old.prepare(at(2), rows('/page'))
      const next = await opened(t, { ...place, spec: { ...place.spec, value: 'views' } }, 1)
      // It reads its rows behind its look at the mark.
      meanwhile = async () => {
        await next.open(2)
        fences.set(next, 2)
        await commit(next, 3, rows('/page'))
      }
      await assert.rejects(old.commit(at(2), stale), {
        code: 'unavailable',
        message: /^the mark of .* has just moved$/,
      })
      assert.equal(meanwhile, undefined)
      assert.deepEqual(await place.texts(), { '/page': '1' })
      await assert.rejects(old.commit(at(2), stale), { code: 'incompatible-state' })
    })

    test('go over to another run, which begins at its own first epoch', async (t) => {
      const place = await placeOf(t)
      const first = await opened(t, place, 5)
      await commit(first, 9, rows('/first'))
      const other = await opened(t, place, 1, 'run-2')
      assert.equal((await other.progress())?.epoch, 0)
      await commit(other, 1, rows('/other'))
      await assert.rejects(commit(first, 10, rows('/late')), { code: 'incompatible-state' })
      assert.deepEqual(await place.texts(), { '/first': '/first', '/other': '/other' })
    })

    test('come back with the next epoch when the place has lost them', async (t) => {
      const place = await placeOf(t)
      const sink = await opened(t, place, 1)
      await commit(sink, 1, rows('/a'))
      await place.lose()
      await commit(sink, 2, rows('/b'))
      assert.deepEqual(await place.texts(), { '/b': '/b' })
    })
  })
}

test(
  'a Redis server that is not there is waited for, and what is no address is told at once',
  requirement('redis'),
  async (t) => {
    const redis = await startRedis(t)
    const place = {
      spec: { kind: 'redis', url: redis.url, key: 'k', value: 'page' },
      folder: await temporaryFolder(t),
    } as const
    const sink = await opened(t, place, 1)
    const prepared = await sink.prepare(at(1), rows('/a'))
    await redis.stop()
    await assert.rejects(sink.commit(at(1), prepared), {
      code: 'unavailable',
      message: /^cannot write to keys k of Redis at 127/,
    })
    const wrong = { ...place, spec: { ...place.spec, url: 'http://x' } }
    await assert.rejects(opened(t, wrong, 1), { code: 'invalid-option' })
  },
)

async function opened(
  t: TestContext,
  { spec, folder }: Pick<Place, 'spec' | 'folder'>,
  fence: number,
  runId = 'run-1',
  fileSystem: FileSystem = nodeFileSystem,
): Promise<Sink> {
  const sink = await createSink(spec, {
    pipeline: 'p',
    query: 'q',
    name: 'q.latest',
    fields: SINK_FIELDS,
    keyColumns: [],
    workingFolder: folder,
    outboxFolder: join(folder, 'outbox', runId),
    owner: runId,
    runId,
    fileSystem,
    print: () => {},
  })
  t.after(() => sink.close())
  await sink.open(fence)
  fences.set(sink, fence)
  return sink
}

const fences = new WeakMap<Sink, number>()

async function commit(sink: Sink, epoch: number, batch: ReturnType<typeof rows>): Promise<PreparedOutput> {
  const when = { ...at(epoch), fence: fences.get(sink) ?? 0 }
  const prepared = await sink.prepare(when, batch)
  await sink.commit(when, prepared)
  return prepared
}

function at(epoch: number) {
  return { epoch, previous: epoch - 1, fence: 1, hash: `h${epoch}` }
}

function rows(...pages: readonly string[]) {
  return sinkBatch(pages.map((page): SinkRow => ({ page, views: 1 })))
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-latest-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}
