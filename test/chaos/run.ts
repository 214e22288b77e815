// `npm run chaos -- SUITE [--count N] [--seed S] [--budget 20m] [--name PATTERN] [--json]`: runs one suite and judges. With --json the last line on
// stdout is what was found, as JSON.

import { parseArgs } from 'node:util'
import { parseDuration } from '../../src/base/time.ts'
import type { ChaosSuite } from './suite.ts'

/** The suites; each is loaded only when it runs. */
const SUITES: Readonly<Record<string, () => Promise<{ readonly suite: ChaosSuite }>>> = {
  'planted-bugs': () => import('./planted-bugs.ts'),
  kills: () => import('./kills.ts'),
  failpoints: () => import('./failpoints.ts'),
  corruption: () => import('./corruption.ts'),
  zombies: () => import('./zombies.ts'),
  servers: () => import('./servers.ts'),
  kafka: () => import('./kafka.ts'),
}

process.exitCode = await runSuite(process.argv.slice(2))

async function runSuite(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      count: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      budget: { type: 'string', default: '20m' },
      name: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
    },
  })
  const [name = ''] = positionals
  const load = Object.hasOwn(SUITES, name) ? SUITES[name] : undefined
  const budgetMs = parseDuration(values.budget)
  const [count, seed] = [Number(values.count), Number(values.seed)]
  if (!load || positionals.length !== 1 || budgetMs === undefined || !(count > 0) || !Number.isInteger(seed)) {
    const usage = `npm run chaos -- ${Object.keys(SUITES).join(' | ')} [--count N] [--seed S] [--budget 20m] [--name PATTERN] [--json]`
    process.stderr.write(`error: no such run\n  hint: ${usage}\n`)
    return 2
  }
  const { suite } = await load()
  const forPeople = values.json ? process.stderr : process.stdout
  const say = (text: string): void => void forPeople.write(`${text}\n`)
  say(suite.summary)
  const startMs = performance.now()
  const { counts, mustBeZero, problems } = await suite.run({ count, seed, budgetMs, name: values.name, say })
  const seconds = Math.round((performance.now() - startMs) / 1000)
  for (const problem of problems) say(`problem: ${problem}`)
  say(
    `${Object.entries(counts)
      .map(([what, number]) => `${what} ${number}`)
      .join(', ')}, in ${seconds} s, seed ${seed}`,
  )
  if (values.json) process.stdout.write(`${JSON.stringify({ name, seed, seconds, ...counts })}\n`)
  return problems.length === 0 && mustBeZero.every((what) => counts[what] === 0) ? 0 : 1
}
