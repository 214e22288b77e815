import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { JobStatus, QueryView } from '../../src/server/api.ts'
import { type RunningServer, type ServerOptions, startServer } from '../../src/server/server.ts'
import { keepScreenshot, openBrowser, openPage, type View, type WatchedPage } from '../support/browser.ts'
import { HOSTILE_TEXTS } from '../support/hostile-texts.ts'
import { requirement } from '../support/requirement.ts'
import { ScriptedFeed } from '../support/scripted-feed.ts'
import {
  emptyStatus,
  failedStatus,
  finishedStatus,
  shopFunnel,
  shopStatus,
  sparkShopStatus,
} from '../support/shop-status.ts'

const WEB_ROOT = join(import.meta.dirname, '..', '..', 'dist', 'web')

const WIDE: View = { width: 1280, height: 800, scheme: 'light' }
const VIEWS: readonly View[] = [
  WIDE,
  { ...WIDE, scheme: 'dark' },
  { width: 390, height: 844, scheme: 'light' },
  { width: 390, height: 844, scheme: 'dark' },
]

describe('the page in Chromium', requirement('chromium'), () => {
  let browser: Browser

  before(async () => {
    assert.ok(existsSync(join(WEB_ROOT, 'index.html')), 'dist/web is missing: run "npm run build:web" first')
    browser = await openBrowser()
  })

  after(() => browser?.close())

  for (const view of VIEWS) {
    const name = `${view.width}-${view.scheme}`

    test(`shows a job from its first event on, at ${view.width} pixels, ${view.scheme}`, async (context) => {
      const { feed, page, problems } = await open(context, emptyStatus(), view)
      await shows(page, 'empty', 'Nothing has arrived in events-0 and 3 other partitions yet.')
      await keepScreenshot(page, `empty-${name}`)

      feed.show(shopStatus(9_000))
      await shows(page, 'empty', 'First results when the watermark passes 10:04:10, in about 4s.')
      await shows(page, 'read', '18,900')
      assert.equal(await page.getByTestId('group').count(), 10)

      feed.show(shopStatus(63_000))
      await shows(page, 'read', '132,300')
      await shows(page, 'latency-p50', '212 ms')
      await shows(page, 'latency-p99', '487 ms')
      await shows(page, 'closed-window', '10:04:50 – 10:05:00')
      await shows(page, 'window', '10:05:00 – 10:05:10provisional')
      await shows(page, 'fate-late', '1,4551.10 %')
      await shows(page, 'why', 'Watermark 10:05:00.3 – 5s behind events-2, the partition that is furthest behind')
      await shows(page, 'next', 'Next page_metrics closes a window when the watermark passes 10:05:10, in about')
      assert.equal(await overflow(page), 0)
      await keepScreenshot(page, `running-${name}`)

      feed.show({ ...failedStatus(63_500), state: 'running' })
      await page.getByText('The job waits:').waitFor()
      feed.show(failedStatus(63_500))
      await page.getByText('The job has failed:').waitFor()
      await shows(page, 'sink', 'no space left on device')
      assert.equal(await overflow(page), 0)
      await keepScreenshot(page, `failed-${name}`)
      assert.deepEqual(problems, [])
    })

    test(`numbers never move the layout, at ${view.width} pixels, ${view.scheme}`, async (context) => {
      const { feed, page } = await open(context, emptyStatus(), view)
      const first = await sectionPlaces(page)
      for (const elapsedMs of [1_000, 9_000, 16_000, 63_000, 3_600_000]) {
        feed.show(shopStatus(elapsedMs))
        await shows(page, 'read', formatted(shopStatus(elapsedMs).rowsRead))
        assert.deepEqual(await sectionPlaces(page), first, `after ${elapsedMs} ms`)
      }
    })
  }

  test('hostile texts are shown as the texts they are, wherever they come from', async (context) => {
    const { feed, page, problems } = await open(context, shopStatus(63_000), WIDE)
    for (let from = 10; from <= HOSTILE_TEXTS.length; from += 10) {
      const texts = HOSTILE_TEXTS.slice(from - 10, from)
      feed.show({ ...withKeys(texts), rowsRead: 700_000 + from })
      await shows(page, 'read', formatted(700_000 + from))
      const shown = await page.getByTestId('group').locator('bdi').allTextContents()
      assert.deepEqual(
        shown,
        texts.map((text) => text.slice(0, 300)),
      )
    }
    for (const [index, text] of HOSTILE_TEXTS.entries()) {
      feed.show({ ...withNames(text), rowsRead: 800_000 + index })
      await shows(page, 'read', formatted(800_000 + index))
      assert.equal(await page.locator('h1').textContent(), text)
      assert.equal(await page.evaluate(`document.querySelectorAll('bdi *, h1 script').length`), 0, text)
      assert.equal(await overflow(page), 0, text.slice(0, 40))
    }
    assert.deepEqual(problems, [])
  })

  test('is paused with the space bar, and goes on with the newest state', async (context) => {
    const { feed, page, server } = await open(context, shopStatus(10_000), WIDE)
    await shows(page, 'read', '21,000')
    await page.keyboard.press('Space')
    await page.getByRole('button', { name: 'Resume' }).waitFor()
    feed.show(shopStatus(20_000))
    feed.show(shopStatus(30_000))
    const other = await openPage(browser, server.url, WIDE)
    context.after(() => other.page.context().close())
    await shows(other.page, 'read', '63,000')
    await shows(page, 'read', '21,000')
    await page.keyboard.press('Space')
    await shows(page, 'read', '63,000')
  })

  test('help comes with the question mark and leaves with escape', async (context) => {
    const { page, problems } = await open(context, shopStatus(10_000), WIDE)
    await page.keyboard.press('?')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await page.keyboard.press('?')
    await page.getByRole('button', { name: 'Close', exact: true }).click()
    await page.getByRole('dialog').waitFor({ state: 'hidden' })

    // The browser tells of a closed dialog only after the task in which it closed; a key may come before that.
    await page.keyboard.press('?')
    await page.getByRole('dialog').waitFor()
    await page.evaluate(`
      document.querySelector('dialog').close()
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '?', bubbles: true }))
    `)
    await page.getByRole('dialog').waitFor()
    assert.deepEqual(problems, [])
  })

  test('groups are filtered from the keyboard, by text and not by pattern', async (context) => {
    const { page } = await open(context, shopStatus(63_000), WIDE)
    await page.getByTestId('group').first().waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('PRODUCTS/')
    await page.getByTestId('group').nth(4).waitFor({ state: 'detached' })
    assert.equal(await page.getByTestId('group').count(), 4)
    await page.keyboard.type('.*')
    await page.getByTestId('group').first().waitFor({ state: 'detached' })
    await page.keyboard.press('Escape')
    await page.getByTestId('group').nth(9).waitFor()
  })

  test('another query, the last closed window, and a closed window opened up', async (context) => {
    const { page, problems } = await open(context, shopStatus(63_000), WIDE)
    await page.getByLabel('Query').selectOption('geo_metrics')
    await shows(page, 'window', '10:05:00 – 10:05:30provisional')
    await page.getByRole('button', { name: 'Last closed' }).click()
    await shows(page, 'window', '10:04:30 – 10:05:00final')
    assert.equal(await page.getByTestId('expanded').count(), 0)
    await page.getByRole('button', { name: '10:04:30 – 10:05:00' }).click()
    await shows(page, 'expanded', 'DE')
    assert.deepEqual(problems, [])
  })

  for (const view of VIEWS) {
    test(`a funnel is shown step by step, at ${view.width} pixels, ${view.scheme}`, async (context) => {
      const { feed, page, problems } = await open(context, shopStatus(62_000), view)
      const status = shopStatus(63_000)
      feed.show({ ...status, queries: [...status.queries, shopFunnel()] })
      await shows(page, 'funnel', '93 of 1,240 got through, 7.50 %')
      assert.equal(await page.getByTestId('funnel-step').count(), 3)
      await shows(page, 'funnel-step', 'item1,24025.00 %')
      assert.equal(await overflow(page), 0)
      await keepScreenshot(page, `funnel-${view.width}-${view.scheme}`)
      assert.deepEqual(problems, [])
    })
  }

  for (const view of VIEWS) {
    test(`a job that Spark runs has its queries and nothing else, at ${view.width} pixels, ${view.scheme}`, async (context) => {
      const { feed, page, problems } = await open(context, shopStatus(62_000), view)
      assert.equal(await page.getByTestId('spark-query').count(), 0)
      feed.show(sparkShopStatus(62_000))
      await shows(page, 'spark-query', 'page_metrics.parquetrunning25210,412')
      await shows(page, 'spark-query', 'geo_metrics.postgreslost, to be started again, 2 restarts')
      await shows(page, 'spark-query', 'a_query_with_a_name_that_is_longer_than_its_column.jsonstarting0')
      assert.equal(await page.locator('main h2').count(), 1)
      assert.equal(await overflow(page), 0)
      assert.equal(await page.title(), 'Spark · page-metrics')
      await keepScreenshot(page, `spark-${view.width}-${view.scheme}`)
      feed.show(shopStatus(63_000))
      await shows(page, 'read', '132,300')
      assert.equal(await page.getByTestId('spark-query').count(), 0)
      assert.deepEqual(problems, [])
    })
  }

  test('a table has rows and no files', async (context) => {
    const { feed, page } = await open(context, emptyStatus(), WIDE)
    const status = shopStatus(63_000)
    const [sink] = status.sinks
    assert.ok(sink)
    feed.show({
      ...status,
      sinks: [{ ...sink, kind: 'postgres', rows: 255, files: 0, bytes: 6_214, committedEpoch: 7 }],
    })
    await page.getByText('255').first().waitFor()
    assert.deepEqual(await page.getByTestId('sink').locator('td').allInnerTexts(), ['255', '–', '6.21 kB', '7'])
  })

  test('rows that wait for a rolling file are told apart from those that are written', async (context) => {
    const { page } = await open(context, { ...shopStatus(63_000), queries: [] }, WIDE)
    await shows(page, 'sink', '31 waiting')
    const cells = await page.getByTestId('sink').locator('td:first-of-type').allInnerTexts()
    assert.deepEqual(cells, ['255', '155\n31 waiting'])
  })

  test('reconnects by itself when the job is started again', async (context) => {
    const { page, problems, expectCut, server } = await open(context, shopStatus(10_000), WIDE)
    await shows(page, 'read', '21,000')
    expectCut()
    await server.close()
    await page.getByText('Connection lost.').waitFor()
    const next = await serve(context, new ScriptedFeed(shopStatus(20_000)), { port: server.port })
    await shows(page, 'read', '42,000')
    await page.getByText('Connection lost.').waitFor({ state: 'detached' })

    await next.close()
    const locked = await serve(context, new ScriptedFeed(emptyStatus()), { port: server.port, token: 'a long secret' })
    await page.getByText('Signed out.').waitFor()
    await locked.close()
    await serve(context, new ScriptedFeed(shopStatus(30_000)), { port: server.port })
    await shows(page, 'read', '63,000')
    assert.deepEqual(problems, [])
  })

  test('keeps the last results of a job that has finished', async (context) => {
    const { feed, page, problems, expectCut, server } = await open(context, shopStatus(62_000), WIDE)
    feed.show(finishedStatus(63_000))
    await page.getByText('The job has finished. These are its last results.').waitFor()
    await shows(page, 'why', 'Watermark past the end – the input has ended and every window is closed')
    await shows(page, 'window', '10:05:00 – 10:05:10final')
    await shows(page, 'closed-window', '10:05:00 – 10:05:10')
    assert.equal(await page.getByTestId('next').count(), 0)
    await keepScreenshot(page, 'finished')
    expectCut()
    await server.close()
    await page.getByText('ended', { exact: true }).first().waitFor()
    assert.deepEqual(problems, [])
  })

  test('is opened with the token once, which then is gone from the address', async (context) => {
    const token = 'correct-horse-battery-staple'
    const server = await serve(context, new ScriptedFeed(shopStatus(10_000)), { token })
    const { page, problems } = await openPage(browser, `${server.url}/?token=${token}`, WIDE)
    context.after(() => page.context().close())
    await shows(page, 'read', '21,000')
    assert.equal(page.url(), `${server.url}/`)
    assert.deepEqual(problems, [])
  })

  async function open(context: TestContext, status: JobStatus, view: View): Promise<OpenedPage> {
    const feed = new ScriptedFeed(status)
    const server = await serve(context, feed)
    const watched = await openPage(browser, server.url, view)
    context.after(() => watched.page.context().close())
    await watched.page.getByTestId('read').waitFor()
    return { ...watched, feed, server }
  }
})

interface OpenedPage extends WatchedPage {
  readonly feed: ScriptedFeed
  readonly server: RunningServer
}

async function serve(
  context: TestContext,
  feed: ScriptedFeed,
  options: Partial<ServerOptions> = {},
): Promise<RunningServer> {
  const server = await startServer({ feed, webRoot: WEB_ROOT, port: 0, ...options })
  context.after(() => server.close())
  return server
}

/** Waits until an element of the given test id has the text in it. */
async function shows(page: Page, testId: string, text: string): Promise<void> {
  await page.getByTestId(testId).filter({ hasText: text }).first().waitFor({ timeout: 10_000 })
}

function formatted(count: number): string {
  return count.toLocaleString('en-US')
}

/** Pixels by which the page is wider than the window. */
function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}

function sectionPlaces(page: Page): Promise<unknown> {
  return page.evaluate(`[...document.querySelectorAll('section')].map((section) => {
    const { top, left, width, height } = section.getBoundingClientRect()
    return { name: section.className || section.getAttribute('aria-label'), top, left, width, height }
  })`)
}

/** A job whose first query has the given keys in its open window. */
function withKeys(keys: readonly string[]): JobStatus {
  const status = shopStatus(63_000)
  const rows = keys.map((key, index) => [key, 1_000 - index, 10, 0])
  return replaceQueries(status, (query) => ({
    ...query,
    windows: query.windows.map((window) => ({ ...window, rows })),
  }))
}

/** A job in which everything that has a name has this one. */
function withNames(name: string): JobStatus {
  const status = failedStatus(63_000)
  return {
    ...replaceQueries(status, (query) => ({
      ...query,
      name,
      columns: query.columns.map((column) => ({ ...column, name })),
    })),
    pipeline: name,
    recovery: name,
    error: { message: name, hint: name },
    reasons: status.reasons.map((reason) => ({ ...reason, rule: name })),
    partitions: status.partitions.map((partition, index) => ({ ...partition, id: `${name}${index}` })),
    watermarks: status.watermarks.map((watermark) => ({ ...watermark, id: name, why: name })),
    sinks: status.sinks.map((sink, index) => ({ ...sink, name: `${name}${index}`, target: name, lastError: name })),
  }
}

function replaceQueries(status: JobStatus, replace: (query: QueryView) => QueryView): JobStatus {
  return { ...status, queries: status.queries.slice(0, 1).map(replace) }
}
