import { join } from 'node:path'
import { type Browser, chromium, type Locator, type Page, selectors } from 'playwright-core'
import { required } from './requirement.ts'

/** How a page is looked at. */
export interface View {
  readonly width: number
  readonly height: number
  readonly scheme: 'light' | 'dark'
}

/** A page together with everything that went wrong in it. */
export interface WatchedPage {
  readonly page: Page
  /** Errors and warnings of the console (violations of the security policy among them), exceptions, dialogs, foreign requests. */
  readonly problems: readonly string[]
  /** Says that the connection to the server will be cut: from now on, what the browser says about that is no problem. */
  expectCut(): void
}

/** Starts the system's Chromium without a window; it makes no request of its own. */
export function openBrowser(): Promise<Browser> {
  selectors.setTestIdAttribute('data-test')
  return chromium.launch({
    executablePath: required('chromium'),
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  })
}

/** Keeps a picture of the page, or of a part of it, in the folder that MILLRACE_SCREENSHOTS names; does nothing without it. */
export async function keepScreenshot(page: Page, name: string, part?: Locator): Promise<void> {
  const folder = process.env['MILLRACE_SCREENSHOTS']
  if (folder === undefined) return
  const path = join(folder, `${name}.png`)
  await (part ? part.screenshot({ path }) : page.screenshot({ path, fullPage: true }))
}

/** Opens an address in a fresh profile. Requests to anywhere else are stopped and noted. */
export async function openPage(browser: Browser, url: string, { width, height, scheme }: View): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme })
  const page = await context.newPage()
  const problems: string[] = []
  let cutExpected = false
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return
    if (cutExpected && message.text().startsWith('Failed to load resource: ')) return
    problems.push(`console ${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`))
  page.on('dialog', async (dialog) => {
    problems.push(`dialog: ${dialog.message()}`)
    await dialog.dismiss()
  })
  await context.route('**/*', async (route) => {
    const target = route.request().url()
    if (target === new URL(url).origin || target.startsWith(`${new URL(url).origin}/`)) return route.fallback()
    problems.push(`foreign request: ${target}`)
    await route.abort()
  })
  await page.goto(url)
  return {
    page,
    problems,
    expectCut() {
      cutExpected = true
    },
  }
}
