import { PLANTED_BUGS } from '../planted-bugs/bugs.ts'
import type { PlantedBug } from '../planted-bugs/planted-bug.ts'
import { type Trial, tryOut } from '../planted-bugs/trial.ts'
import type { ChaosOptions, ChaosReport, ChaosSuite } from './suite.ts'

/** Plants each known bug and tells which test caught it. Fails when one was not, or when a test fails for the program as it is. */
export const suite: ChaosSuite = {
  summary: 'known bugs, planted one by one: each has to be caught by its test',
  counted: 'planted',
  run: plantAll,
}

async function plantAll({ name, budgetMs, say }: ChaosOptions): Promise<ChaosReport> {
  const startMs = performance.now()
  const bugs = PLANTED_BUGS.filter((bug) => new RegExp(name).test(bug.name))
  const sound = new Map<string, Trial>()
  const problems: string[] = bugs.length === 0 ? [`no planted bug is named ${name}`] : []
  let planted = 0
  for (const bug of bugs) {
    if (performance.now() - startMs > budgetMs) break
    const asItIs = sound.get(bug.caughtBy) ?? (await tryOut(bug.caughtBy, undefined))
    sound.set(bug.caughtBy, asItIs)
    const miss = escaped(bug, await tryOut(bug.caughtBy, bug), asItIs)
    planted++
    if (miss !== undefined) problems.push(`${bug.name}: ${miss}`)
    say(`${miss === undefined ? 'caught    ' : 'NOT CAUGHT'}  ${bug.name}`)
  }
  return {
    counts: { planted, caught: planted - problems.length, missed: problems.length },
    mustBeZero: ['missed'],
    problems,
  }
}

/** Why a bug was not caught; undefined when it was. */
function escaped({ caughtBy }: PlantedBug, trial: Trial, asItIs: Trial): string | undefined {
  if (asItIs.broken || asItIs.failed.length > 0) return `${caughtBy} fails without it`
  if (trial.broken) return `${caughtBy} did not run`
  return trial.failed.length === 0 ? `${caughtBy} does not see it` : undefined
}
