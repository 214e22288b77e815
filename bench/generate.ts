import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateInto } from '../src/generator/load.ts'
import { RowSequence } from '../src/generator/row-sequence.ts'
import { type GeneratorSettings, generatorSettings } from '../src/generator/settings.ts'
import { openEmbeddedLog } from '../src/log/embedded-log.ts'
import type { Log } from '../src/log/log.ts'
import { MemoryLog } from '../src/log/memory-log.ts'
import type { Bench, BenchOptions, BenchResult } from './support/bench.ts'
import { type Contender, measure, resultOf } from './support/measure.ts'

/** Enough for what the compiler takes in each run, after all was collected, not to matter. */
const ROWS = 2_000_000
const START_MS = Date.UTC(2026, 10, 24)

/** What is generated, by the name that `--data` has for it. */
const DATA: Readonly<Record<string, object>> = {
  /** The session pool of requirement A26 to A28, and nothing amiss. */
  clean: {},
  'high-cardinality': { users: 600_000, activeSessionsMax: 100_000 },
  disorder: {
    lateFraction: 0.02,
    outOfOrderFraction: 0.1,
    duplicateFraction: 0.01,
    malformedFraction: 0.001,
    invalidFraction: 0.001,
  },
}

/** Flat out into the embedded log, durable, against the same into memory and against walking the sequence without its bytes. */
export const bench: Bench = {
  name: 'generate',
  summary: 'generated events with the session pool into an embedded log, 4 partitions, durable at the end',
  run,
}

async function run({ data = 'clean' }: BenchOptions): Promise<readonly BenchResult[]> {
  const given = Object.hasOwn(DATA, data) ? DATA[data] : undefined
  assert.ok(given !== undefined, `no data is called ${data}: ${Object.keys(DATA).join(', ')}`)
  const settings = generatorSettings({ eventsPerSecond: 10_000, ...given })
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
  try {
    const ends = expectedEnds(settings)
    const contenders = [walking(settings), intoMemory(settings, ends), intoFiles(settings, ends, folder)]
    const [walk, memory, files] = await measure(contenders, { warmUps: 1, runs: 5 })
    return [
      resultOf({ name: 'generate/walk', data }, walk),
      resultOf({ name: 'generate/memory-log', data }, memory),
      resultOf({ name: 'generate', data }, files, [memory]),
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function walking(settings: GeneratorSettings): Contender {
  return {
    name: 'walk',
    run() {
      const sequence = new RowSequence(settings, START_MS)
      for (let count = 0; count < ROWS; count++) sequence.next()
      return ROWS
    },
  }
}

function intoMemory(settings: GeneratorSettings, ends: readonly number[]): Contender {
  return { name: 'memory log', run: () => generate(settings, ends, new MemoryLog()) }
}

function intoFiles(settings: GeneratorSettings, ends: readonly number[], folder: string): Contender {
  const root = join(folder, 'log')
  return {
    name: 'embedded log',
    prepare: () => rm(root, { recursive: true, force: true }),
    async run() {
      const log = await openEmbeddedLog(root, { mode: 'write' })
      try {
        return await generate(settings, ends, log)
      } finally {
        await log.close()
      }
    },
  }
}

/** Generates, and looks that the log holds what the sequence says; that takes no time to speak of. */
async function generate(settings: GeneratorSettings, ends: readonly number[], log: Log): Promise<number> {
  const options = { pace: 'flat-out', rows: ROWS, startTimeMs: START_MS } as const
  const { rows, bytes } = await generateInto(log, 'clicks', settings, options)
  const description = await log.describeTopic('clicks')
  assert.ok(description)
  assert.deepEqual(
    description.offsets.map(({ end }) => end),
    ends,
  )
  assert.ok(description.bytes > bytes && description.bytes < 1.1 * bytes, `${description.bytes} bytes of ${bytes}`)
  return rows
}

/** Rows per partition. */
function expectedEnds(settings: GeneratorSettings): number[] {
  const sequence = new RowSequence(settings, START_MS)
  const ends = new Array<number>(settings.partitions).fill(0)
  for (let count = 0; count < ROWS; count++) ends[sequence.next().partition]++
  return ends
}
