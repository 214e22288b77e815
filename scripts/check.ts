// `npm run check [-- --without-tests]`: every step runs, also after one has failed; what a step says is shown when it
// fails. The tests come last and are shown as they run.

import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'

interface Step {
  readonly name: string
  /** A program for Node, and its arguments. */
  readonly command: readonly string[]
  readonly live?: boolean
}

interface Outcome {
  readonly name: string
  readonly failed: boolean
  readonly durationMs: number
}

const { values } = parseArgs({ options: { 'without-tests': { type: 'boolean', default: false } } })

const STEPS: readonly Step[] = [
  { name: 'format and lint', command: ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings'] },
  { name: 'types', command: ['node_modules/typescript/bin/tsc', '-p', '.'] },
  { name: 'types of the web page', command: ['node_modules/typescript/bin/tsc', '-p', 'web', '--noEmit'] },
  { name: 'dead code', command: ['node_modules/knip/bin/knip.js', '--no-progress'] },
  { name: 'tests', command: ['scripts/test.ts'], live: true },
]

const outcomes: Outcome[] = []
for (const step of STEPS) {
  if (step.name === 'tests' && values['without-tests']) continue
  outcomes.push(await runStep(step))
}

const failed = outcomes.filter((outcome) => outcome.failed)
for (const { name, failed, durationMs } of outcomes) {
  process.stdout.write(`${failed ? 'FAILED' : 'ok    '}  ${name} (${(durationMs / 1000).toFixed(1)} s)\n`)
}
process.stdout.write(failed.length === 0 ? 'check: fine\n' : `check: ${failed.length} of ${outcomes.length} failed\n`)
process.exitCode = failed.length === 0 ? 0 : 1

/** Runs one step; its output is kept back and shown only when it fails, unless it is `live`. */
async function runStep({ name, command, live = false }: Step): Promise<Outcome> {
  process.stdout.write(`-- ${name}\n`)
  const startMs = performance.now()
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...command], {
    stdio: ['ignore', live ? 'inherit' : 'pipe', live ? 'inherit' : 'pipe'],
  })
  const output: Buffer[] = []
  child.stdout?.on('data', (bytes: Buffer) => output.push(bytes))
  child.stderr?.on('data', (bytes: Buffer) => output.push(bytes))
  const failed = await new Promise<boolean>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve(code !== 0))
  })
  if (failed) process.stdout.write(Buffer.concat(output))
  return { name, failed, durationMs: performance.now() - startMs }
}
