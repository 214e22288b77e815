const FULL = process.env['MILLRACE_TEST_SCALE'] === 'full'

/** How many cases a law is tried with: a few always, 25 times as many in the full suite. */
export function lawRuns(few: number): number {
  return FULL ? few * 25 : few
}
