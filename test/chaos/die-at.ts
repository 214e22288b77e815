import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { failpointsIn } from '../support/failpoint-names.ts'
import { type Scene, startRun } from './scene.ts'

/** The last step of a recovery: who gets there has recovered. */
export const RECOVERED = 'job:recovered'

/** Every step that a process of a scene can die at, read out of the source, so that none can be forgotten. Kafka has tests of its own. */
export function stepsOfSource(): string[] {
  const names = ['base', 'job', 'sinks', 'sinks/postgres', 'sinks/duckdb'].flatMap((folder) => failpointsIn(folder))
  return [...new Set(names)]
    .filter((name) => !name.startsWith('kafka-'))
    .map((name) => (name === 'append:write' ? `${name}:torn` : name))
    .sort()
}

/** Runs the job until it dies at a step. Resolves to the steps that it has visited; undefined when it did not die there. */
export async function dieAt(
  scene: Scene,
  step: string,
  visit: number,
  problems: string[],
): Promise<ReadonlySet<string> | undefined> {
  const trace = join(scene.folder, 'trace')
  await rm(trace, { force: true })
  const armed =
    step === RECOVERED ? step : step.endsWith(':torn') ? step.replace(/torn$/, `${visit}:torn`) : `${step}:${visit}`
  const run = startRun(scene, [], { MILLRACE_FAILPOINT: armed, MILLRACE_FAILPOINT_TRACE: trace })
  const ended = await run.ended
  const visited = new Set((await readFile(trace, 'utf8').catch(() => '')).split('\n'))
  if (ended.hung) problems.push(`${armed} was not reached`)
  else if (ended.signal !== 'SIGKILL') problems.push(`${armed}: ended with ${ended.code}: ${ended.stderr.slice(-500)}`)
  else if (visited.has(step.replace(/:torn$/, ''))) return visited
  else problems.push(`${armed}: died before it was reached`)
  return undefined
}
