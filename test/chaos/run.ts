// `npm run chaos -- planted-bugs [--name PATTERN] [--json]`: plants each known bug and tells which test caught it. Fails when one was
// not, or when a test fails for the program as it is.

import { parseArgs } from 'node:util'
import { PLANTED_BUGS, type PlantedBug } from '../planted-bugs/bugs.ts'
import { type Trial, tryOut } from '../planted-bugs/trial.ts'

interface Verdict {
  readonly name: string
  readonly file: string
  readonly caught: boolean
  /** The first test that failed; why not caught, when none did. */
  readonly by: string
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { name: { type: 'string', default: '' }, json: { type: 'boolean', default: false } },
})
const { name, json } = values

if (positionals.length !== 1 || positionals[0] !== 'planted-bugs') {
  process.stderr.write('usage: npm run chaos -- planted-bugs [--name PATTERN] [--json]\n')
  process.exit(2)
}

const bugs = PLANTED_BUGS.filter((bug) => new RegExp(name).test(bug.name))
const verdicts: Verdict[] = []
const sound = new Map<string, Trial>()
for (const bug of bugs) {
  if (!sound.has(bug.caughtBy)) sound.set(bug.caughtBy, await tryOut(bug.caughtBy, undefined))
  verdicts.push(verdict(bug, await tryOut(bug.caughtBy, bug), sound.get(bug.caughtBy)))
  if (!json) print(verdicts.at(-1) as Verdict)
}
const caught = verdicts.filter((one) => one.caught).length
if (json) process.stdout.write(`${JSON.stringify({ planted: verdicts.length, caught, verdicts }, undefined, 2)}\n`)
else process.stdout.write(`${caught} of ${verdicts.length} planted bugs were caught\n`)
process.exitCode = caught === verdicts.length && caught > 0 ? 0 : 1

function verdict({ name, file, caughtBy }: PlantedBug, trial: Trial, asItIs: Trial | undefined): Verdict {
  const base = { name, file, caught: false }
  if (!asItIs || asItIs.broken || asItIs.failed.length > 0) return { ...base, by: `${caughtBy} fails without it` }
  if (trial.broken) return { ...base, by: `${caughtBy} did not run` }
  const first = trial.failed[0]
  return first === undefined ? { ...base, by: caughtBy } : { ...base, caught: true, by: `${caughtBy}: ${first}` }
}

function print({ name, caught, by }: Verdict): void {
  process.stdout.write(`${caught ? 'caught    ' : 'NOT CAUGHT'}  ${name}\n            ${by}\n`)
}
