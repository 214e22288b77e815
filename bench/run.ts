// `npm run bench -- NAME [--data D] [--json]`: runs one benchmark and reports. With --json the last line on stdout is
// the benchmark's result as JSON; the table then goes to stderr.

import { parseArgs } from 'node:util'
import type { Bench } from './support/bench.ts'
import { describeRun, formatJson, formatTable } from './support/report.ts'

/** The benchmarks; each is loaded only when it runs. */
const BENCHES: Readonly<Record<string, () => Promise<{ readonly bench: Bench }>>> = {
  decode: () => import('./decode.ts'),
  durability: () => import('./durability.ts'),
  encode: () => import('./encode.ts'),
  'end-to-end': () => import('./end-to-end.ts'),
  engine: () => import('./engine.ts'),
  'engine-state': () => import('./engine-state.ts'),
  expression: () => import('./expression.ts'),
  generate: () => import('./generate.ts'),
  kafka: () => import('./kafka.ts'),
  memory: () => import('./memory.ts'),
  ml: () => import('./ml.ts'),
  'preset-c': () => import('./preset-c.ts'),
  presets: () => import('./presets.ts'),
}

const args = process.argv.slice(2)
try {
  process.exitCode = await runBench(args)
} catch (error) {
  if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))) throw error
  process.exitCode = failWithUsage(error.message)
}

async function runBench(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      experiment: { type: 'string' },
      events: { type: 'string' },
      peers: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const [name, ...rest] = positionals
  if (name === undefined) return failWithUsage('no benchmark named')
  if (rest.length > 0) return failWithUsage(`one benchmark at a time, not ${positionals.join(' and ')}`)
  const load = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined
  if (load === undefined) return failWithUsage(`no benchmark is called ${name}`)

  const events = values.events === undefined ? undefined : Number(values.events)
  if (events !== undefined && !(Number.isSafeInteger(events) && events > 0)) {
    return failWithUsage(`--events is ${values.events}, not a number of events`)
  }

  const { bench } = await load()
  const forPeople = values.json ? process.stderr : process.stdout
  forPeople.write(`${bench.summary}\n${describeRun(args)}\n\n`)
  const { data, experiment, peers } = values
  const results = await bench.run({ data, experiment, peers, events })
  forPeople.write(`${formatTable(results)}\n`)
  if (values.json) process.stdout.write(results.map((result) => `${formatJson(result)}\n`).join(''))
  return 0
}

function failWithUsage(problem: string): number {
  const usage = `npm run bench -- ${Object.keys(BENCHES).join(' | ')} [--data D] [--json]`
  process.stderr.write(`error: ${problem}\n  hint: ${usage}\n`)
  return 2
}
