/**
 * What every sink that keeps rows must do, whoever dies and whenever. A sink joins with one entry in `STORES`.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { FileStore } from '../../test/support/file-store.ts'
import { HOSTILE_TEXTS } from '../../test/support/hostile-texts.ts'
import { openTestLog, testKafka } from '../../test/support/kafka.ts'
import { KafkaStore } from '../../test/support/kafka-store.ts'
import { testPostgres } from '../../test/support/postgres.ts'
import { requirement } from '../../test/support/requirement.ts'
import { rowText, SINK_FIELDS, SINK_KEYS, type SinkRow, sinkBatch } from '../../test/support/sink-rows.ts'
import { MillraceError } from '../base/error.ts'
import { type KafkaSinkSpec, type SinkSpec, value } from '../plan/connectors.ts'
import { type QueryAnswer, queryOwnStore } from './duckdb/duckdb-query.ts'
import { createSink } from './index.ts'
import { MemoryStore, memorySink } from './memory-sink.ts'
import type { PreparedOutput, Sink, SinkEpoch, SinkProgress } from './sink.ts'

/** Where the rows of one test go, and who looks at them. */
interface Store {
  /** The sink as the next process makes it: it shares nothing with the one before but what that has written. */
  sink(): Promise<Sink>
  /** Rows that readers see now, as `rowText`, sorted. */
  visibleRows(): Promise<string[]>
  /** How a text shows there, when not as it is. */
  shown?(text: string): string
  /** Whether it can keep a text at all. */
  keeps?(text: string): boolean
}

const postgres = testPostgres()

/** A fresh store per test; what it needs is released with `t.after`. */
const STORES: Readonly<Record<string, (t: TestContext) => Promise<Store>>> = {
  PostgreSQL: async (t) => {
    const folder = await temporaryFolder(t)
    const url = await postgres.database()
    return {
      sink: () => tableSink(t, { kind: 'postgres', table: 'rows', key: [], mode: 'append', url }, folder),
      visibleRows: async () => {
        const there = await postgres.query(url, "select to_regclass('rows') as name")
        if (there[0]?.['name'] === null) return []
        const rows = await postgres.query(url, 'select page, views from rows')
        return rows.map((row) => rowText(row['page'] as string | null, Number(row['views']))).sort()
      },
      // Its text knows no NUL: such a row is kept in millrace_rejected.
      keeps: (text) => !text.includes('\u0000'),
    }
  },
  DuckDB: async (t) => {
    const folder = await temporaryFolder(t)
    const file = join(folder, 'results.duckdb')
    const ask = 'select page, views from rows'
    return {
      sink: () => tableSink(t, { kind: 'duckdb', table: 'rows', key: [], mode: 'append', file }, folder),
      visibleRows: async () =>
        (await rowsIfThere(() => queryOwnStore(file, ask, { rowsMax: 1_000, timeoutMs: 10_000 }))).sort(),
    }
  },
  'JSON files': async (t) => new FileStore(await temporaryFolder(t), { kind: 'json' }),
  'CSV files': async (t) =>
    Object.assign(new FileStore(await temporaryFolder(t), { kind: 'csv' }), {
      shown: (text: string) => (/^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text),
    }),
  'Parquet files': async (t) => new FileStore(await temporaryFolder(t), { kind: 'parquet' }),
  'files by partition': async (t) =>
    new FileStore(await temporaryFolder(t), { kind: 'json', partitionBy: value('page'), recordsPerFileMax: 2 }),
  'a topic of Kafka': (t) => kafkaStore(t, 'exactly-once'),
  'a topic of Kafka, at least once': (t) => kafkaStore(t, 'at-least-once'),
  memory: async () => {
    const store = new MemoryStore()
    return {
      sink: async () => memorySink({ name: 'q.memory' }, store),
      visibleRows: async () =>
        store.rows.map((row) => rowText(row.get('page') as string | null, row.get('views') as number)).sort(),
    }
  },
}

async function tableSink(t: TestContext, spec: SinkSpec, folder: string): Promise<Sink> {
  const sink = await createSink(spec, {
    pipeline: 'contract',
    query: 'q',
    name: 'q.table',
    fields: SINK_FIELDS,
    keyColumns: SINK_KEYS,
    workingFolder: folder,
    outboxFolder: join(folder, 'outbox'),
    owner: 'the checkpoint',
    print: () => {},
  })
  t.after(() => sink.close())
  return sink
}

/** No rows while there is no table yet. */
async function rowsIfThere(ask: () => Promise<QueryAnswer>): Promise<string[]> {
  try {
    return (await ask()).rows.map(([page, views]) => rowText(page as string | null, Number(views)))
  } catch (error) {
    if (error instanceof MillraceError && /no result store|does not exist/.test(error.message)) return []
    throw error
  }
}

/** What a spreadsheet, a shell, a path or a reader of CSV could take for something else. */
const TEXTS = [
  ...HOSTILE_TEXTS,
  '',
  '=1+1',
  '+1',
  '-1',
  '@sum',
  '\tx',
  '\rx',
  '"',
  '""',
  ',',
  '../../etc',
  '.',
  '..',
  'null',
]

const FIRST: readonly SinkRow[] = [
  { page: '/a', views: 1 },
  { page: '/b', views: 2 },
]
const SECOND: readonly SinkRow[] = [
  { page: '/a', views: 10 },
  { page: null, views: 11 },
  { page: '/c', views: 12 },
]

for (const [name, open] of Object.entries(STORES)) {
  const check = (what: string, run: (store: Store) => Promise<void>): void => {
    const server = name === 'PostgreSQL' ? 'postgres' : name.includes('Kafka') ? 'kafka' : undefined
    test(`${name}: ${what}`, server ? requirement(server) : {}, async (t) => run(await open(t)))
  }

  check('a sink that nobody has written to has no mark, and looking leaves it so', async (store) => {
    const sink = await store.sink()
    assert.equal(markOf(await sink.progress()), undefined)
    assert.equal(markOf(await (await store.sink()).progress()), undefined)
    assert.equal(markOf(await sink.open(1)), undefined)
    assert.deepEqual(await store.visibleRows(), [])
  })

  check(
    'rows are out of sight until they are committed, then there once, and the mark says of what epoch',
    async (store) => {
      const sink = await opened(store, 1)
      const prepared = await sink.prepare(at(1), sinkBatch(FIRST))
      assert.deepEqual(await store.visibleRows(), [])
      assert.equal(markOf(await sink.progress()), undefined)
      await sink.commit(at(1), prepared)
      assert.deepEqual(await store.visibleRows(), texts(FIRST))
      const mark = { epoch: 1, fence: 1, hash: at(1).hash }
      assert.deepEqual(markOf(await sink.progress()), mark)
      assert.deepEqual(markOf(await (await store.sink()).open(2)), mark)
    },
  )

  for (const diesAfter of ['nothing', 'progress', 'open', 'prepare', 'commit', 'forget', 'close']) {
    check(`a process that dies after ${diesAfter} leaves what the next one makes whole`, async (store) => {
      await writeEpoch(await opened(store, 1), at(1), FIRST)
      const prepared = await liveUntil(diesAfter, await store.sink(), at(2, 2))
      const next = await store.sink()
      const mark = await next.progress()
      assert.equal(mark?.epoch, ['commit', 'forget', 'close'].includes(diesAfter) ? 2 : 1)
      assert.deepEqual(await next.open(3), mark)
      assert.deepEqual(await store.visibleRows(), texts(mark?.epoch === 2 ? [...FIRST, ...SECOND] : FIRST))
      if (prepared) await next.commit(at(2, 3), prepared)
      else await writeEpoch(next, at(3, 3, 1), SECOND)
      assert.deepEqual(await store.visibleRows(), texts([...FIRST, ...SECOND]))
      await next.forget(3)
      await next.close()
      assert.deepEqual(await store.visibleRows(), texts([...FIRST, ...SECOND]))
    })
  }

  check('a prepare that is repeated replaces what the first one left', async (store) => {
    const sink = await opened(store, 1)
    await sink.prepare(at(1), sinkBatch([...SECOND, ...FIRST, ...SECOND]))
    await writeEpoch(sink, at(1), FIRST)
    assert.deepEqual(await store.visibleRows(), texts(FIRST))
  })

  check('a commit may be repeated, by this process and by those after it', async (store) => {
    const sink = await opened(store, 1)
    const prepared = await writeEpoch(sink, at(1), FIRST)
    await sink.commit(at(1), prepared)
    await sink.forget(1)
    for (const fence of [2, 3]) await (await opened(store, fence)).commit(at(1, fence), handedOn(prepared))
    assert.deepEqual(await store.visibleRows(), texts(FIRST))
  })

  check('other rows for an epoch that is committed are refused, and nothing changes', async (store) => {
    const sink = await opened(store, 1)
    await writeEpoch(sink, at(1), FIRST)
    const other = { ...at(1), hash: 'other' }
    const prepared = await sink.prepare(other, sinkBatch(SECOND))
    await assert.rejects(sink.commit(other, prepared), { code: 'incompatible-state' })
    assert.deepEqual(await store.visibleRows(), texts(FIRST))
    assert.equal((await sink.progress())?.hash, at(1).hash)
  })

  check('a newer process shuts the older one out: nothing that it does becomes visible', async (store) => {
    const old = await opened(store, 1)
    await writeEpoch(old, at(1), FIRST)
    const prepared = await old.prepare(at(2), sinkBatch(SECOND))
    const next = await opened(store, 2)
    await assert.rejects(old.commit(at(2), prepared), { code: 'incompatible-state' })
    await assert.rejects(old.commit(at(2), { rows: 0, bytes: 0, files: [] }), { code: 'incompatible-state' })
    await assert.rejects(writeEpoch(old, at(3), SECOND), { code: 'incompatible-state' })
    assert.deepEqual(await store.visibleRows(), texts(FIRST))
    await assert.rejects((await store.sink()).open(1), { code: 'incompatible-state' })
    await writeEpoch(next, at(2, 2), SECOND)
    assert.deepEqual(await store.visibleRows(), texts([...FIRST, ...SECOND]))
  })

  check('an epoch without rows shows nothing and loses nothing', async (store) => {
    const sink = await opened(store, 1)
    await writeEpoch(sink, at(1), FIRST)
    await writeEpoch(sink, at(2), [])
    await writeEpoch(sink, at(4, 1, 2), SECOND)
    await writeEpoch(sink, at(5), [])
    await sink.forget(5)
    assert.deepEqual(await store.visibleRows(), texts([...FIRST, ...SECOND]))
    const next = await store.sink()
    const mark = await next.open(2)
    assert.ok(mark && mark.epoch >= 4)
  })

  check('values of all kinds come back as they were', async (store) => {
    const rows = [...TEXTS, null].map((page, index) => ({ page, views: index }))
    await writeEpoch(await opened(store, 1), at(1), rows)
    const { shown = (text: string) => text, keeps = () => true } = store
    const kept = rows.filter(({ page }) => page === null || keeps(page))
    assert.deepEqual(
      await store.visibleRows(),
      texts(kept.map((row) => ({ ...row, page: row.page && shown(row.page) }))),
    )
  })
}

async function opened(store: Store, fence: number): Promise<Sink> {
  const sink = await store.sink()
  await sink.progress()
  await sink.open(fence)
  return sink
}

/** What a process does with one epoch, up to the step after which it dies. Gives what the journal then holds of the epoch. */
async function liveUntil(diesAfter: string, sink: Sink, epoch: SinkEpoch): Promise<PreparedOutput | undefined> {
  let prepared: PreparedOutput | undefined
  const steps: Readonly<Record<string, () => Promise<unknown>>> = {
    nothing: async () => {},
    progress: () => sink.progress(),
    open: () => sink.open(epoch.fence),
    prepare: async () => {
      prepared = await sink.prepare(epoch, sinkBatch(SECOND))
    },
    commit: async () => prepared && sink.commit(epoch, prepared),
    forget: () => sink.forget(epoch.epoch),
    close: () => sink.close(),
  }
  assert.ok(Object.hasOwn(steps, diesAfter))
  for (const [name, step] of Object.entries(steps)) {
    await step()
    if (name === diesAfter) break
  }
  return prepared && handedOn(prepared)
}

async function writeEpoch(sink: Sink, epoch: SinkEpoch, rows: readonly SinkRow[]): Promise<PreparedOutput> {
  const prepared = await sink.prepare(epoch, sinkBatch(rows))
  await sink.commit(epoch, prepared)
  return handedOn(prepared)
}

/** As it comes back from the journal. */
function handedOn(prepared: PreparedOutput): PreparedOutput {
  return JSON.parse(JSON.stringify(prepared)) as PreparedOutput
}

/** A table keeps a mark from its first opening on: nothing is committed until it has a hash. */
function markOf(mark: SinkProgress | undefined): SinkProgress | undefined {
  return mark && mark.hash !== '' ? { epoch: mark.epoch, fence: mark.fence, hash: mark.hash } : undefined
}

function at(epoch: number, fence = 1, previous = epoch - 1): SinkEpoch {
  return { epoch, previous, fence, hash: `hash of ${epoch}` }
}

function texts(rows: readonly SinkRow[]): string[] {
  return rows.map(({ page, views }) => rowText(page, views)).sort()
}

async function kafkaStore(t: TestContext, delivery: KafkaSinkSpec['delivery']): Promise<Store> {
  const log = await openTestLog((await testKafka()).bootstrap)
  t.after(() => log.close())
  return new KafkaStore(log, await temporaryFolder(t), delivery)
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-sink-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}
