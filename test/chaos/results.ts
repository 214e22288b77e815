import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'

/** One run of a suite, as it is kept. */
export interface Result {
  readonly suite: string
  /** What was run, see `commitNow`. */
  readonly commit: string
  readonly seed: number
  readonly seconds: number
  readonly counts: Readonly<Record<string, number>>
  readonly problems: readonly string[]
}

/** Runs that are kept in a file, a line of JSON each, so that a suite can go on later: what one commit has stood is added up. */
export class Results {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  append(result: Result): void {
    appendFileSync(this.#file, `${JSON.stringify(result)}\n`)
  }

  /** Runs of a suite on one commit, oldest first. */
  of(suite: string, commit: string): Result[] {
    const text = existsSync(this.#file) ? readFileSync(this.#file, 'utf8') : ''
    const all = text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Result]))
    return all.filter((one) => one.suite === suite && one.commit === commit)
  }
}

/** All that several runs have counted. */
export function added(results: readonly Result[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const { counts, seconds } of results) {
    for (const [what, number] of Object.entries({ ...counts, seconds })) sums[what] = (sums[what] ?? 0) + number
  }
  return sums
}

/** The commit that is checked out, with a `+` when the sources are not as it has them. */
export function commitNow(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim()
  return git('rev-parse', '--short=12', 'HEAD') + (git('status', '--porcelain', '../../src', '../../test') && '+')
}
