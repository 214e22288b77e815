// `npm test [-- [--name PATTERN] FILE_OR_GLOB...]`: runs the tests under node:test and ends with its closing lines.
//
// Beyond what `node --test` does, a run fails in which nothing was tested: when no test was found at all, and when a
// test file turned out to hold none.

import { availableParallelism } from 'node:os'
import { relative, resolve } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { parseArgs } from 'node:util'

const TEST_GLOBS = ['src', 'test', 'web', 'scripts', 'bench'].map((folder) => `${folder}/**/*.test.ts`)

// A hang is reported as the test that hangs, long before the run as a whole is cut off.
const full = process.env['MILLRACE_TEST_SCALE'] === 'full'
const testTimeoutMs = (full ? 60 : 5) * 60_000
const runTimeoutMs = (full ? 240 : 26) * 60_000

const { values, positionals } = parseArgs({ allowPositionals: true, options: { name: { type: 'string' } } })

// Each test file is a process of its own; what they import is stripped of its types once, not once per process.
process.env['NODE_COMPILE_CACHE'] ??= resolve('node_modules/.cache/compile')

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort())
const runTimer = setTimeout(() => {
  process.stderr.write(`error: the tests did not end within ${runTimeoutMs / 60_000} minutes\n`)
  stop.abort()
}, runTimeoutMs)
runTimer.unref()

const SLOWEST_SHOWN = 20

const emptyFiles: string[] = []
const taken: { readonly file: string; readonly ms: number }[] = []
let testCount = 0

const events = run({
  globPatterns: positionals.length > 0 ? positionals : TEST_GLOBS,
  concurrency: availableParallelism(), // Node's default of one less would leave one of two cores idle.
  timeout: testTimeoutMs,
  signal: stop.signal,
  ...(values.name === undefined ? {} : { testNamePatterns: [values.name] }),
})
events.on('test:pass', ({ name, nesting, file }) => {
  // Node counts a file without tests as one test that passes and bears the name of the file.
  if (nesting === 0 && file !== undefined && resolve(name) === file && values.name === undefined) emptyFiles.push(name)
})
events.on('test:summary', ({ file, success, counts, duration_ms }) => {
  if (file !== undefined) {
    taken.push({ file: relative('', file), ms: duration_ms })
    return // The last summary is of the run.
  }
  testCount = counts.tests - emptyFiles.length
  if (!success) process.exitCode = 1
})
events.compose(new spec()).pipe(process.stdout)
events.on('close', () => {
  if (taken.length > SLOWEST_SHOWN) showSlowest()
  if (testCount > 0 && emptyFiles.length === 0) return
  process.exitCode = 1
  for (const name of emptyFiles) process.stderr.write(`error: ${name} holds no test\n`)
  if (testCount === 0) process.stderr.write('error: no test was found\n')
})

/** Where the time went: it is what makes a run too long for a slow machine. */
function showSlowest(): void {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1).padStart(7)} s`
  const all = taken.reduce((sum, { ms }) => sum + ms, 0)
  const slowest = taken.toSorted((left, right) => right.ms - left.ms).slice(0, SLOWEST_SHOWN)
  process.stdout.write(`${seconds(all)}  ${taken.length} files; the slowest:\n`)
  for (const { file, ms } of slowest) process.stdout.write(`${seconds(ms)}  ${file}\n`)
}
