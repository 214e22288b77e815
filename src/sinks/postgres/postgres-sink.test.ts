import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { type CuttingProxy, cuttingProxy } from '../../../test/support/cutting-proxy.ts'
import { testPostgres } from '../../../test/support/postgres.ts'
import { requirement } from '../../../test/support/requirement.ts'
import { resultRows, type Value } from '../../../test/support/result-rows.ts'
import { RowChange } from '../../batch/result-batch.ts'
import type { Field } from '../../batch/schema.ts'
import type { PostgresSinkSpec } from '../../plan/connectors.ts'
import { type Sink, SinkBehind, type SinkContext, type SinkEpoch } from '../sink.ts'
import { postgresSink } from './postgres-sink.ts'

const FIELDS: readonly Field[] = [
  { name: 'window_start', type: 'timestamp', required: true },
  { name: 'page_url', type: 'string', required: true },
  { name: 'views', type: 'int64', required: true },
  { name: 'revenue', type: 'decimal', scale: 2, required: false },
]
const SPEC: PostgresSinkSpec = { kind: 'postgres', table: 'page_views', mode: 'append' }
const NOON = Date.UTC(2026, 10, 24, 12)

describe('PostgreSQL sink', requirement('postgres'), () => {
  const postgres = testPostgres()

  test('an epoch is invisible until it is committed, and then there once, however often it is committed', async (t) => {
    const { sink, rows, url } = await opened(t)
    const at = epoch(1, 0)
    const prepared = await sink.prepare(
      at,
      batch([
        [NOON, '/home', 3, 1050],
        [NOON, 'it\'s "a" \\ tab\there', 1, null],
      ]),
    )
    assert.deepEqual(await rows(), [])
    for (let attempt = 0; attempt < 3; attempt++) await sink.commit(at, prepared)
    assert.deepEqual(await rows(), [
      { window_start: new Date(NOON), page_url: '/home', views: '3', revenue: '10.50' },
      { window_start: new Date(NOON), page_url: 'it\'s "a" \\ tab\there', views: '1', revenue: null },
    ])
    assert.deepEqual(await sink.progress(), { owner: 'here', epoch: 1, fence: 1, hash: 'hash-1' })
    await sink.commit(epoch(2, 1), await sink.prepare(epoch(2, 1), batch([])))
    assert.deepEqual(await sink.progress(), { owner: 'here', epoch: 2, fence: 1, hash: 'hash-2' })
    const [key] = await postgres.query(url, `select indexdef from pg_indexes where tablename = 'page_views'`)
    assert.match(String(key?.['indexdef']), /UNIQUE .*\(window_start, page_url\)/)
  })

  test('the table has the columns that the sink names, and deletes and replaces rows by the key that they have there', async (t) => {
    const columns = [
      { name: 'page', column: 'page_url' },
      { name: 'since', column: 'window_start' },
      { name: 'n', column: 'views' },
    ]
    const spec = { ...SPEC, mode: 'update', columns, key: ['page', 'since'] } as const
    const { commit, url } = await opened(t, { spec })
    await commit(
      1,
      batch([
        [NOON, '/a', 1, null],
        [NOON, '/b', 1, null],
      ]),
    )
    await commit(
      2,
      batch(
        [
          [NOON, '/a', 2, 5],
          [NOON, '/b', 0, null],
        ],
        [RowChange.updated, RowChange.deleted],
      ),
    )
    assert.deepEqual(await postgres.query(url, 'select * from page_views'), [
      { page: '/a', since: new Date(NOON), n: '2' },
    ])
    const [key] = await postgres.query(url, `select indexdef from pg_indexes where tablename = 'page_views'`)
    assert.match(String(key?.['indexdef']), /UNIQUE .*\(page, since\)/)
  })

  test('update mode: values replace values, a group that has ceased to exist is deleted, one that came back stays', async (t) => {
    const { sink, commit, rows } = await opened(t, { spec: { ...SPEC, mode: 'update' } })
    await commit(
      1,
      batch([
        [NOON, '/a', 1, null],
        [NOON, '/b', 1, null],
        [NOON, '/c', 1, null],
      ]),
    )
    const changes = [RowChange.updated, RowChange.final, RowChange.deleted, RowChange.updated, RowChange.deleted]
    await commit(
      2,
      batch(
        [
          [NOON, '/a', 2, 5],
          [NOON, '/a', 3, 7],
          [NOON, '/b', 0, null],
          [NOON, '/c', 9, null],
          [NOON, '/c', 0, null],
        ],
        changes,
      ),
    )
    assert.deepEqual(
      (await rows()).map((row) => [row['page_url'], row['views'], row['revenue']]),
      [
        ['/a', '3', '0.07'],
        ['/c', '9', null],
      ],
    )
    assert.equal(sink.marksEveryEpoch, true)
  })

  test('null is a key value like any other', async (t) => {
    const fields = FIELDS.map((field) => (field.name === 'page_url' ? { ...field, required: false } : field))
    const { commit, rows } = await opened(t, { spec: { ...SPEC, mode: 'update' }, fields })
    await commit(1, batch([[NOON, null, 1, null]], undefined, fields))
    await commit(2, batch([[NOON, null, 2, null]], undefined, fields))
    assert.deepEqual(
      (await rows()).map((row) => row['views']),
      ['2'],
    )
    await commit(3, batch([[NOON, null, 0, null]], [RowChange.deleted], fields))
    assert.deepEqual(await rows(), [])
  })

  for (const count of [300, 25_000]) {
    test(`of ${count} rows those that the table refuses are kept in millrace_rejected, all others arrive`, async (t) => {
      const { commit, rows, url } = await opened(t, {
        before: `create table page_views (window_start timestamptz, page_url varchar(12), views int check (views >= 0),
                 revenue numeric(18,2), primary key (window_start, page_url))`,
      })
      const good = Array.from({ length: count }, (_, index): Value[] => [NOON, `/page/${index}`, index, null])
      const bad: Value[][] = [
        [NOON, '/much-too-long', 1, null],
        [NOON, '/negative', -1, null],
        [NOON, '/huge', 2 ** 40, null],
        [NOON, '/nul\u0000', 1, null],
        [NOON, '/revenue', 1, 2 ** 53],
      ]
      const all = good.flatMap((row, index) =>
        index % 60 === 7 && bad.length * 60 > index ? [bad[Math.floor(index / 60)] as Value[], row] : [row],
      )
      await commit(1, batch(all))
      assert.equal((await rows()).length, count + 1)
      const rejected = await postgres.query(
        url,
        'select epoch, seq, code, row_data from millrace_rejected order by row_data',
      )
      assert.deepEqual(
        rejected.map((row) => [
          row['epoch'],
          row['code'],
          (JSON.parse(String(row['row_data'])) as { page_url: string }).page_url,
        ]),
        [
          ['1', '22003', '/huge'],
          ['1', '22001', '/much-too-long'],
          ['1', '23514', '/negative'],
          ['1', '22021', '/nul\u0000'],
        ],
      )
    })
  }

  test('a newer process ends the sessions of the older one, which then can commit nothing', async (t) => {
    const { sink, url, rows } = await opened(t)
    const at = epoch(1, 0)
    const prepared = await sink.prepare(at, batch([[NOON, '/stale', 1, null]]))
    const newer = await open(t, url, { fence: 2, owner: 'here' })
    // The first attempt may still meet the broken session.
    await sink.commit(at, prepared).then(
      () => assert.fail('it is stale'),
      () => {},
    )
    await assert.rejects(sink.commit(at, prepared), { code: 'incompatible-state', message: /newer process \(fence 2/ })
    assert.deepEqual(await rows(), [])
    await newer.commit(
      { ...at, fence: 2 },
      await newer.prepare({ ...at, fence: 2 }, batch([[NOON, '/newer', 1, null]])),
    )
    assert.deepEqual(
      (await rows()).map((row) => row['page_url']),
      ['/newer'],
    )
    await assert.rejects(open(t, url, { fence: 1, owner: 'here' }), { code: 'incompatible-state' })
  })

  test('other rows for a committed epoch, and a table of another run, stop; a reset goes on', async (t) => {
    const { sink, commit, url } = await opened(t)
    await commit(1, batch([[NOON, '/a', 1, null]]))
    await assert.rejects(sink.commit({ ...epoch(1, 0), hash: 'another' }, { rows: 0, bytes: 0, files: [] }), {
      code: 'incompatible-state',
      message: /other rows for epoch 1/,
    })
    await assert.rejects(open(t, url, { fence: 1, owner: 'elsewhere' }), {
      message: /another run \(here\)/,
      hint: /--reset-sink page_views.postgres/,
    })
    const reset = await open(t, url, { fence: 1, owner: 'elsewhere', reset: true, startEpoch: 7 })
    await reset.commit(epoch(8, 7), await reset.prepare(epoch(8, 7), batch([])))
    assert.equal((await reset.progress())?.epoch, 8)
  })

  test('a server that lost epochs, and one that lost the mark, are told apart', async (t) => {
    const { sink, commit, url } = await opened(t)
    await commit(1, batch([]))
    await commit(2, batch([]))
    await postgres.query(url, 'update millrace_progress set epoch = 1')
    await assert.rejects(commit(3, batch([])), (error: unknown) => error instanceof SinkBehind && error.epoch === 1)
    await postgres.query(url, 'delete from millrace_progress')
    await assert.rejects(sink.commit(epoch(3, 2), { rows: 0, bytes: 0, files: [] }), {
      code: 'incompatible-state',
      message: /has no mark of the sink/,
    })
  })

  test('a connection that breaks anywhere in a commit leaves the epoch out or in, and the next attempt settles it', async (t) => {
    for (const statement of ['update .*millrace_progress', 'insert into .*page_views', 'commit\0']) {
      for (const when of ['before', 'after'] as const) {
        const { sink, rows, proxy } = await opened(t, { proxied: true, spec: { ...SPEC, key: [] } })
        assert.ok(proxy)
        const at = epoch(1, 0)
        const prepared = await sink.prepare(at, batch([[NOON, '/home', 1, null]]))
        proxy.cut(new RegExp(statement), when)
        await assert.rejects(sink.commit(at, prepared), { code: 'unavailable' }, `${statement} ${when}`)
        assert.equal(proxy.cuts(), 1)
        await sink.commit(at, prepared)
        assert.deepEqual(
          (await rows()).map((row) => row['views']),
          ['1'],
          `${statement} ${when}`,
        )
      }
    }
  })

  test('a table that does not fit is refused when the sink is opened, with what it lacks', async (t) => {
    const cases: [string, RegExp][] = [
      ['create table page_views (window_start timestamptz, page_url text, views bigint)', /lacks the column revenue/],
      [
        'create table page_views (window_start timestamptz, page_url text, views bigint, revenue numeric)',
        /no unique index over \(window_start, page_url\)/,
      ],
      [
        'create table page_views (window_start timestamptz, page_url text, views bigint, revenue numeric, site text not null, primary key (window_start, page_url))',
        /demands a value for site/,
      ],
    ]
    for (const [before, message] of cases)
      await assert.rejects(opened(t, { before }), { code: 'incompatible-state', message })
  })

  test('a wrong password and a server that is away are told apart; no message holds the password', async (t) => {
    const url = await postgres.database()
    const wrong = new URL(url)
    wrong.password = 'canary-password'
    const refused = async (address: string): Promise<{ code: string; message: string }> => {
      const sink = await postgresSink({ ...SPEC, url: address }, context('here'))
      t.after(() => sink.close())
      const error = await sink.progress().then(
        () => assert.fail('it must be refused'),
        (thrown: unknown) => thrown,
      )
      assert.doesNotMatch(JSON.stringify([error, String(error), sink.target]), /canary-password/)
      return error as { code: string; message: string }
    }
    assert.equal((await refused(wrong.href)).code, 'invalid-option')
    wrong.port = '1'
    assert.equal((await refused(wrong.href)).code, 'unavailable')
  })

  interface Opened {
    readonly url: string
    readonly sink: Sink
    readonly proxy: CuttingProxy | undefined
    commit(number: number, rows: ReturnType<typeof batch>): Promise<void>
    rows(): Promise<Record<string, unknown>[]>
  }

  async function opened(
    t: TestContext,
    options: { spec?: PostgresSinkSpec; fields?: readonly Field[]; before?: string; proxied?: boolean } = {},
  ): Promise<Opened> {
    const url = await postgres.database()
    if (options.before !== undefined) await postgres.query(url, options.before)
    const proxy = options.proxied ? await cuttingProxy(Number(new URL(url).port)) : undefined
    if (proxy) t.after(() => proxy.close())
    const address = new URL(url)
    if (proxy) address.port = String(proxy.port)
    const sink = await open(t, address.href, { fence: 1, owner: 'here', ...options })
    return {
      url,
      sink,
      proxy,
      async commit(number, rows) {
        const at = epoch(number, number - 1)
        await sink.commit(at, await sink.prepare(at, rows))
      },
      rows: () => postgres.query(url, 'select * from page_views order by window_start, page_url'),
    }
  }
})

async function open(
  t: TestContext,
  url: string,
  options: {
    fence: number
    owner: string
    reset?: boolean
    startEpoch?: number
    spec?: PostgresSinkSpec
    fields?: readonly Field[]
  },
): Promise<Sink> {
  const outboxFolder = await mkdtemp(join(tmpdir(), 'millrace-outbox-'))
  t.after(() => rm(outboxFolder, { recursive: true, force: true }))
  const sink = await postgresSink(
    { ...(options.spec ?? SPEC), url },
    { ...context(options.owner), outboxFolder, fields: options.fields ?? FIELDS },
  )
  t.after(() => sink.close())
  if (!options.reset) await sink.progress()
  await sink.open(options.fence, { epoch: options.startEpoch ?? 0, reset: options.reset ?? false })
  return sink
}

function context(owner: string): SinkContext {
  return {
    pipeline: 'shop',
    query: 'page_views',
    name: 'page_views.postgres',
    fields: FIELDS,
    keyColumns: ['window_start', 'page_url'],
    workingFolder: tmpdir(),
    owner,
    print: () => {},
  }
}

function epoch(number: number, previous: number): SinkEpoch {
  return { epoch: number, previous, fence: 1, hash: `hash-${number}` }
}

function batch(
  rows: readonly (readonly Value[])[],
  changes?: readonly number[],
  fields = FIELDS,
): ReturnType<typeof resultRows> {
  return resultRows(fields, rows, changes)
}
