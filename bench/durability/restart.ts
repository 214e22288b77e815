import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { encodeText } from '../../src/base/bytes.ts'
import { RecordBatchBuilder } from '../../src/log/record-batch-builder.ts'
import type { BenchResult } from '../support/bench.ts'
import { spreadOf } from '../support/measure.ts'
import { inWorld, runCommand, start, type World } from './world.ts'

const RUNS = 5
const BATCH = 10_000
const START_MS = Date.UTC(2026, 0, 1)
const SPREAD_MS = 1_200_000

/**
 * A job with open sessions starts again: from the start of its process until it has recovered, and until the first new epoch is committed.
 * Failpoints end it there, so that nothing has to be asked meanwhile. At last all sessions close, and their events are counted.
 */
export function measureRestart(sessions: number): Promise<readonly BenchResult[]> {
  return inWorld(async (world) => {
    await world.log.createTopic('events', { partitions: 2 })
    for (let user = 0; user < sessions; user += BATCH) await send(world, user, Math.min(sessions, user + BATCH))
    await runTo(world, undefined)
    const tookMs = { 'job:recovered': [] as number[], 'job:after-commit': [] as number[] }
    for (let round = 0; round < RUNS; round++) {
      for (const step of ['job:recovered', 'job:after-commit'] as const) {
        // Behind all others, but not so far that a session of its user would be over.
        await send(world, round, round + 1, SPREAD_MS)
        const ms = await runTo(world, step)
        tookMs[step].push(ms)
        process.stderr.write(`${step}: ${Math.round(ms)} ms, load ${loadavg()[0]?.toFixed(1)}\n`)
      }
    }
    // Two hours later, in both partitions.
    await send(world, sessions, sessions + 2, 7_200_000)
    await runTo(world, undefined)
    assertTotals(world, sessions)
    return Object.entries(tookMs).map(([step, all]) => ({
      name: step === 'job:recovered' ? 'durability/recovered' : 'durability/restart',
      data: 'restart',
      events: sessions,
      nsPerEvent: spreadOf(all.map((ms) => (ms * 1e6) / sessions)),
      ratio: {},
      p99Ms: Math.max(...all),
    }))
  })
}

async function send({ log }: World, from: number, to: number, laterMs = 0): Promise<void> {
  for (let partition = 0; partition < 2; partition++) {
    const builder = new RecordBatchBuilder()
    let rows = 0
    for (let user = from + ((from + partition) % 2); user < to; user += 2, rows++) {
      const at = START_MS + (user % SPREAD_MS) + laterMs
      builder.add(null, encodeText(`{"at":${at},"user":"user-${user * 7919}"}`), Date.now())
    }
    if (rows > 0) await log.append('events', partition, builder.finish())
  }
}

/** Runs the job to a step, where it dies, or to its end. */
async function runTo(world: World, step: string | undefined): Promise<number> {
  const command = runCommand(world, 'sessions', '--checkpoint', 'checkpoint', '--once')
  const startMs = performance.now()
  const child = start(command, world.folder, step === undefined ? {} : { MILLRACE_FAILPOINT: step })
  let errors = ''
  child.stderr?.on('data', (text: Buffer) => (errors += text.toString()))
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  assert.ok(step === undefined ? code === 0 : signal === 'SIGKILL', `${step}: ended with ${code ?? signal}: ${errors}`)
  return performance.now() - startMs
}

function assertTotals({ folder }: World, sessions: number): void {
  let [rows, events] = [0, 0]
  for (const name of readdirSync(join(folder, 'sessions')).filter((one) => one.endsWith('.ndjson'))) {
    for (const line of readFileSync(join(folder, 'sessions', name), 'utf8')
      .trimEnd()
      .split('\n')) {
      rows++
      events += (JSON.parse(line) as { events: number }).events
    }
  }
  assert.deepEqual({ rows, events }, { rows: sessions, events: sessions + 2 * RUNS })
}
