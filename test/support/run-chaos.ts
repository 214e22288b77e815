import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../chaos/run.ts', import.meta.url))

/**
 * Runs a suite as `npm run chaos` does, in a process of its own: a test runner that follows every promise would take longer than the suite.
 * Asserts that nothing was wrong; resolves to what was counted.
 */
export async function runChaos(
  suite: string,
  { count, seed, budget }: { count: number; seed: number; budget: string },
): Promise<Record<string, number>> {
  const args = [PROGRAM, suite, '--count', `${count}`, '--seed', `${seed}`, '--budget', budget, '--json']
  const { code, stdout, stderr } = await new Promise<{ code: unknown; stdout: string; stderr: string }>((done) => {
    execFile(process.execPath, args, (error, stdout, stderr) => done({ code: error?.code ?? 0, stdout, stderr }))
  })
  assert.equal(code, 0, `npm run chaos -- ${args.slice(1).join(' ')}\n${stderr}`)
  return JSON.parse(stdout) as Record<string, number>
}
