// `npm run chaos -- SUITE [--count N] [--seed S] [--budget 20m] [--name PATTERN] [--results FILE] [--json]`: runs one suite and judges. With
// --json the last line on stdout is what was found, as JSON. With --results a run is kept in the file, does what is left of the count on this
// commit, with other rounds than those before, and tells the sum.

import { parseArgs } from 'node:util'
import { parseDuration } from '../../src/base/time.ts'
import { added, commitNow, Results } from './results.ts'
import type { ChaosSuite } from './suite.ts'

/** The suites; each is loaded only when it runs. */
const SUITES: Readonly<Record<string, () => Promise<{ readonly suite: ChaosSuite }>>> = {
  'planted-bugs': () => import('./planted-bugs.ts'),
  kills: () => import('./kills.ts'),
  failpoints: () => import('./failpoints.ts'),
  'double-failpoints': () => import('./double-failpoints.ts'),
  simulation: () => import('./simulation.ts'),
  corruption: () => import('./corruption.ts'),
  disconnects: () => import('./disconnects.ts'),
  zombies: () => import('./zombies.ts'),
  servers: () => import('./servers.ts'),
  kafka: () => import('./kafka.ts'),
  models: () => import('./models.ts'),
  soak: () => import('./soak.ts'),
}

/** Runs of one seed that go on from each other have seeds so far apart. */
const SEEDS_PER_RUN = 1_000_000

interface Request {
  readonly name: string
  readonly suite: ChaosSuite
  readonly count: number
  readonly seed: number
  readonly budgetMs: number
  readonly pattern: string
  readonly results: string | undefined
  readonly json: boolean
}

const request = await requestOf(process.argv.slice(2)).catch((error: unknown) => {
  if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))) throw error
  return wrong(error.message.split('. ')[0] as string)
})
process.exitCode = request ? await runSuite(request) : 2

async function requestOf(args: readonly string[]): Promise<Request | undefined> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      count: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      budget: { type: 'string', default: '20m' },
      name: { type: 'string', default: '' },
      results: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const [name = ''] = positionals
  const load = Object.hasOwn(SUITES, name) ? SUITES[name] : undefined
  const budgetMs = parseDuration(values.budget)
  const [count, seed] = [Number(values.count), Number(values.seed)]
  if (!load || positionals.length !== 1 || budgetMs === undefined || !(count > 0) || !Number.isInteger(seed)) {
    return wrong('no such run')
  }
  const { name: pattern, results, json } = values
  return { name, suite: (await load()).suite, count, seed, budgetMs, pattern, results, json }
}

function wrong(what: string): undefined {
  const usage = `npm run chaos -- ${Object.keys(SUITES).join(' | ')} [--count N] [--seed S] [--budget 20m] [--name PATTERN] [--results FILE] [--json]`
  process.stderr.write(`error: ${what}\n  hint: ${usage}\n`)
  return undefined
}

async function runSuite({ name, suite, count, seed, budgetMs, pattern, results, json }: Request): Promise<number> {
  const forPeople = json ? process.stderr : process.stdout
  const say = (text: string): void => void forPeople.write(`${text}\n`)
  say(suite.summary)
  const kept = results === undefined ? undefined : new Results(results)
  const commit = kept ? commitNow() : ''
  const before = kept?.of(name, commit) ?? []
  const left = count - (added(before)[suite.counted] ?? 0)
  if (left <= 0) {
    say(`done before, on ${commit}: ${textOf(added(before))}`)
    return 0
  }
  const startMs = performance.now()
  const ownSeed = seed + SEEDS_PER_RUN * before.length
  const { counts, mustBeZero, problems } = await suite.run({ count: left, seed: ownSeed, budgetMs, name: pattern, say })
  const seconds = Math.round((performance.now() - startMs) / 1000)
  for (const problem of problems) say(`problem: ${problem}`)
  say(`${textOf(counts)}, in ${seconds} s, seed ${ownSeed}`)
  if (kept) {
    kept.append({ suite: name, commit, seed: ownSeed, seconds, counts, problems })
    say(`all on ${commit}: ${textOf(added(kept.of(name, commit)))}`)
  }
  if (json) process.stdout.write(`${JSON.stringify({ name, seed: ownSeed, seconds, ...counts })}\n`)
  return problems.length === 0 && mustBeZero.every((what) => counts[what] === 0) ? 0 : 1
}

function textOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([what, number]) => `${what} ${number}`)
    .join(', ')
}
