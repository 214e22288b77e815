/** Who visits: each list with its weights, of which only the proportions matter. */
type Weighted<T> = readonly (readonly [value: T, weight: number])[]

/** A browser on a device. */
export interface Agent {
  readonly device: string
  readonly browser: string
  readonly os: string
}

/** Browsers with their shares. */
export const AGENTS: Weighted<Agent> = [
  [{ device: 'mobile', browser: 'Chrome', os: 'Android' }, 30],
  [{ device: 'mobile', browser: 'Safari', os: 'iOS' }, 24],
  [{ device: 'mobile', browser: 'Samsung Internet', os: 'Android' }, 4],
  [{ device: 'desktop', browser: 'Chrome', os: 'Windows' }, 16],
  [{ device: 'desktop', browser: 'Edge', os: 'Windows' }, 6],
  [{ device: 'desktop', browser: 'Firefox', os: 'Windows' }, 3],
  [{ device: 'desktop', browser: 'Safari', os: 'macOS' }, 5],
  [{ device: 'desktop', browser: 'Chrome', os: 'macOS' }, 4],
  [{ device: 'desktop', browser: 'Firefox', os: 'Linux' }, 2],
  [{ device: 'tablet', browser: 'Safari', os: 'iPadOS' }, 4],
  [{ device: 'tablet', browser: 'Chrome', os: 'Android' }, 1],
  [{ device: 'bot', browser: 'Other', os: 'Linux' }, 1],
]

/** Countries with their shares. */
export const COUNTRIES: Weighted<string> = [
  ['US', 28],
  ['DE', 14],
  ['GB', 11],
  ['FR', 9],
  ['NL', 5],
  ['ES', 5],
  ['IT', 5],
  ['PL', 4],
  ['CA', 4],
  ['AT', 3],
  ['CH', 3],
  ['SE', 2],
  ['JP', 2],
  ['BR', 2],
  ['IN', 2],
  ['AU', 1],
]

/** Where a session comes from; null is a visit without a referrer. */
export const REFERRERS: Weighted<string | null> = [
  [null, 34],
  ['https://www.google.com/', 36],
  ['https://www.bing.com/', 4],
  ['https://duckduckgo.com/', 3],
  ['https://www.facebook.com/', 7],
  ['https://www.instagram.com/', 7],
  ['https://news.example.net/deals/this-week', 5],
  ['https://mail.example.com/newsletter', 4],
]

/** The shares of a list. */
export function weightsOf(list: Weighted<unknown>): number[] {
  return list.map(([, weight]) => weight)
}
