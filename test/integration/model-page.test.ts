import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { Random } from '../../src/base/random.ts'
import type { JobStatus, ModelSummary } from '../../src/server/api.ts'
import { keepScreenshot, openBrowser, openPage, type View } from '../support/browser.ts'
import { requirement } from '../support/requirement.ts'
import { runMillrace, startMillrace, temporaryFolder } from '../support/run-millrace.ts'

const WEB_ROOT = join(import.meta.dirname, '..', '..', 'dist', 'web')
const WIDE: View = { width: 1280, height: 800, scheme: 'light' }
const VIEWS: readonly View[] = [
  WIDE,
  { width: 1280, height: 800, scheme: 'dark' },
  { width: 390, height: 844, scheme: 'light' },
  { width: 390, height: 844, scheme: 'dark' },
]

const VISITS = 2_600
const VISIT_MS = 4_000
const START_MS = Date.UTC(2026, 4, 4, 8)
/** Seen by the job when the page is opened. */
const FIRST_VISITS = 200
const PART_VISITS = 100

const PIPELINE = `import { clickEvent, count, ddm, jsonLines, logisticRegression, logSource, oneHot, pipeline, purchaseWithin, sgd, stream, tumbling } from 'millrace'

const predicted = stream(logSource('clickstream'), clickEvent)
  .withWatermark('event_time', '0s', { maxClockSkew: null })
  .withSessionFeatures({ by: 'session_id', window: tumbling('1 hour'), features: { clicks_in_session: count() } })
  .predict({
    name: 'purchase',
    label: purchaseWithin('1 minute'),
    features: ['clicks_in_session', oneHot('device', 4), oneHot('country', 5)],
    model: logisticRegression({ optimizer: sgd(0.02), drift: ddm(), guardOutcomes: 500 }),
  })

export default pipeline('shop').query('predictions', predicted.select(), [jsonLines('out/predictions')])
`

describe('the Model screen in Chromium', requirement('chromium'), () => {
  let browser: Browser

  before(async () => {
    assert.ok(existsSync(join(WEB_ROOT, 'index.html')), 'dist/web is missing: run "npm run build:web" first')
    browser = await openBrowser()
  })

  after(() => browser?.close())

  test('shows of a job that learns what was said beside what came, and marks drift in its history where it was', async (t) => {
    const cwd = await temporaryFolder(t)
    await writeFile(join(cwd, 'shop.ts'), PIPELINE)
    const visits = turningVisits()
    await produce(cwd, visits.slice(0, FIRST_VISITS))
    const epochs = ['--trigger', '100ms', '--rows-per-epoch', '500', '--checkpoint', 'checkpoint']
    const running = startMillrace(t, ['run', 'shop.ts', '--serve', '--port', '0', ...epochs], { cwd })
    const [url] = await running.says(/http:\/\/127\.0\.0\.1:\d+\S*/)
    const { page, problems } = await openPage(browser, url, WIDE)
    t.after(() => page.context().close())
    await page.getByTestId('model').waitFor()
    await produce(cwd, visits.slice(FIRST_VISITS))

    const model = await settled(page, url, visits.flat().length)
    assert.ok(model.report)
    const { calibration, skill } = model.report.metrics
    assert.ok(skill > 0.05, `${skill}`)
    assert.ok(calibration.length > 3)
    assert.equal(await page.getByTestId('calibration-dot').count(), calibration.length)
    const said = calibration.map(({ outcomes, predicted, observed }) => {
      return `of ${outcomes} outcomes said ${percent(predicted)}, came ${percent(observed)}`
    })
    const picture = page.getByTestId('calibration').getByRole('img')
    assert.equal(await picture.getAttribute('aria-label'), `Calibration: ${said.join('; ')}`)

    for (const kind of ['drift', 'rollback'] as const) {
      const marks = await page.getByTestId(`mark-${kind}`).locator('title').allTextContents()
      const told = model.events.filter((event) => event.kind === kind)
      const texts = told.map(({ version, reason }) => `${kind} at version ${version}: ${reason}`)
      assert.ok(marks.length > 0, kind)
      // Each of both charts has them; what had happened before the page was opened is in none.
      const seen = texts.slice(-marks.length / 2)
      assert.deepEqual(marks, [...seen, ...seen])
    }
    for (const { x, left, right } of await markPlaces(page))
      assert.ok(x > left && x < right, `${x} in ${left}-${right}`)
    for (const { width, height, scheme } of VIEWS) {
      await page.setViewportSize({ width, height })
      await page.emulateMedia({ colorScheme: scheme })
      assert.equal(
        await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'),
        0,
      )
      const last = '[data-test=model-event]'
      assert.ok(
        await page.evaluate(
          `(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.querySelector('${last}'))`,
        ),
        `what has happened last is cut off at ${width} px`,
      )
      await keepScreenshot(page, `models-${width}-${scheme}`)
      await keepScreenshot(page, `model-${width}-${scheme}`, page.getByTestId('model'))
    }
    assert.deepEqual(problems, [])
  })
})

/** The model when all rows are read, as the server tells it and the page shows it. */
async function settled(page: Page, url: string, rows: number): Promise<ModelSummary> {
  for (let before = ''; ; ) {
    const { rowsRead, models } = (await (await page.request.get(new URL('/api/status', url).href)).json()) as JobStatus
    const [model] = models
    if (rowsRead === rows && model && before === JSON.stringify(model)) {
      const version = `version ${model.version.toLocaleString('en-US')}`
      await page.getByTestId('model').filter({ hasText: version }).waitFor()
      return model
    }
    before = JSON.stringify(model)
    await page.waitForTimeout(500)
  }
}

/** Where marks stand in their charts, in pixels. */
function markPlaces(page: Page): Promise<{ readonly x: number; readonly left: number; readonly right: number }[]> {
  return page.evaluate(`[...document.querySelectorAll('[data-test=mark-drift] line')].map((line) => {
    const { left, right } = line.ownerSVGElement.getBoundingClientRect()
    return { x: line.getBoundingClientRect().left, left, right }
  })`)
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}

async function produce(cwd: string, visits: readonly (readonly string[])[]): Promise<void> {
  // An epoch has whole batches of the log, so the log gets small ones.
  for (let from = 0; from < visits.length; from += PART_VISITS) {
    const lines = visits.slice(from, from + PART_VISITS).flat()
    await writeFile(join(cwd, `part-${String(from).padStart(6, '0')}.ndjson`), lines.join(''))
  }
  const { code, stderr } = await runMillrace(['produce', 'part-*.ndjson', '--topic', 'clickstream'], { cwd })
  assert.equal(code, 0, stderr)
}

/**
 * Lines of visitors who look at one to four pages and buy the likelier the more they have seen, on one device more than on the other;
 * half-way that turns round.
 */
function turningVisits(): string[][] {
  const random = new Random(11)
  return Array.from({ length: VISITS }, (_, visit) => {
    const device = random.chance(0.5) ? 'mobile' : 'desktop'
    const country = ['DE', 'FR', 'US'][random.below(3)]
    const looks = 1 + random.below(4)
    const likes = (device === 'mobile') === visit < VISITS / 2
    const buys = random.chance((likes ? 0.9 : 0.05) * (0.4 + 0.15 * looks))
    return Array.from({ length: looks + (buys ? 1 : 0) }, (__, index) => {
      const event = {
        event_time: new Date(START_MS + visit * VISIT_MS + index * 500).toISOString(),
        event_type: index < looks ? 'page_view' : 'purchase',
        user_id: `u${visit}`,
        session_id: `s${visit}`,
        device,
        country,
      }
      return `${JSON.stringify(event)}\n`
    })
  })
}
