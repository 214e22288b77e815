import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { openKafkaLog } from '../src/log/kafka/kafka-log.ts'
import { kafkaOptions } from '../src/log/kafka/kafka-options.ts'
import { type AnswerRules, wrongAnswers } from './end-to-end/answers.ts'
import { type ProcessCost, runMeasured } from './end-to-end/measured-process.ts'
import { fillTopic, TOPIC, writeLines } from './end-to-end/topic.ts'
import { expectedGroups } from './end-to-end/truth.ts'
import { PEERS, type Peer } from './peers/index.ts'
import type { Bench, BenchOptions, BenchResult } from './support/bench.ts'
import { withBroker } from './support/broker.ts'
import { spreadOf } from './support/measure.ts'

const EVENTS = 3_000_000
const RUNS = 3

/**
 * From the start of a process until all windows are committed, over a topic of a real broker that shares the cores: sliding counts of pages,
 * counts by device, and events and different pages of each visitor, into files, with a checkpoint. Peers answer the same queries on the same
 * topic in the same run, in turns. Every group of every run is compared with what the generator knows to be true.
 */
export const bench: Bench = {
  name: 'end-to-end',
  summary: 'three queries from a topic of a real broker to files; processes with their start, CPU of the broker apart',
  run,
}

interface Entrant {
  readonly name: string
  readonly runs: number
  readonly rules: AnswerRules
  command(output: string): readonly string[]
  /** Where its folders of answers are, in the output. */
  readonly costs: ProcessCost[]
}

function run({ events = EVENTS, peers = 'kafkajs,duckdb' }: BenchOptions): Promise<readonly BenchResult[]> {
  const present = installed(peers.split(',').filter((name) => name !== ''))
  return withBroker(async ({ bootstrap, pid: brokerPid, folder }) => {
    const lines = join(folder, 'events.ndjson')
    const log = await openKafkaLog(kafkaOptions(bootstrap, {}))
    try {
      await fillTopic(log, events)
      if (present.some(([, { readsLines }]) => readsLines)) await writeLines(log, lines, events)
    } finally {
      await log.close()
    }
    const expected = expectedGroups(events)
    const entrants = [ourselves(bootstrap), ...present.map(([name, peer]) => entrant(name, peer, bootstrap, lines))]
    for (let round = 0; round < RUNS; round++) {
      for (const { name, runs, rules, command, costs } of entrants) {
        if (round >= runs) continue
        const output = join(folder, `${name}-${round}`)
        mkdirSync(output)
        const load = loadavg()[0] ?? Number.NaN
        const cost = await runMeasured(command(output), { cwd: output, env: process.env, brokerPid })
        costs.push(cost)
        const problems = await wrongAnswers(output, expected, rules)
        assert.deepEqual(problems, [], `${name} gives wrong answers`)
        process.stderr.write(`${described(name, cost, events)}; load ${load.toFixed(1)} before it\n`)
        rmSync(output, { recursive: true })
      }
    }
    const results = entrants.map((one) => resultOf(one, entrants, events))
    return [...results.slice(1), ...results.slice(0, 1)]
  })
}

/** Peers that can be had here; the others are named and left out. */
function installed(names: readonly string[]): (readonly [string, Peer])[] {
  return names.flatMap((name) => {
    const peer = Object.hasOwn(PEERS, name) ? PEERS[name] : undefined
    assert.ok(peer, `no peer is called ${name}: ${Object.keys(PEERS).join(', ')}`)
    try {
      peer.install()
      process.stderr.write(`${name}: ${peer.summary}\n`)
      return [[name, peer] as const]
    } catch (error) {
      process.stderr.write(`${name} is left out, it cannot be installed here: ${error}\n`)
      return []
    }
  })
}

/** As it is published: nobody else has to be compiled first either. */
function ourselves(bootstrap: string): Entrant {
  const root = join(import.meta.dirname, '..')
  const { buildStale } = createRequire(import.meta.url)('../scripts/build.cjs') as {
    buildStale(root: string, step: string, node: string): void
  }
  buildStale(root, 'library', process.execPath)
  return {
    name: 'millrace',
    runs: RUNS,
    rules: { parts: false, distinctTolerance: 0 },
    costs: [],
    command: (output) => [
      ...[process.execPath, join(root, 'dist/src/cli/main.js'), 'run', join(root, 'bench/end-to-end/pipeline.ts')],
      ...[TOPIC, '--bootstrap-servers', bootstrap, '--once', '--home', join(output, 'home')],
      ...['--checkpoint', join(output, 'checkpoint')],
    ],
  }
}

function entrant(name: string, peer: Peer, bootstrap: string, lines: string): Entrant {
  const { rules, runs } = peer
  return {
    name,
    runs,
    rules,
    costs: [],
    command: (output) => peer.command({ bootstrap, topic: TOPIC, lines, output }),
  }
}

function described(name: string, { wallMs, cpuMs, brokerCpuMs, memoryBytes }: ProcessCost, events: number): string {
  const microseconds = (ms: number): string => ((ms * 1_000) / events).toFixed(2)
  return (
    `${name.padEnd(10)} ${(wallMs / 1_000).toFixed(1)} s; CPU per event ${microseconds(cpuMs)} µs, ` +
    `in the broker ${microseconds(brokerCpuMs)} µs; ${(memoryBytes / 1e6).toFixed(0)} MB; every group is right`
  )
}

function resultOf(one: Entrant, entrants: readonly Entrant[], events: number): BenchResult {
  const wall = ({ costs }: Entrant): number => spreadOf(costs.map(({ wallMs }) => wallMs)).median
  const cpu = ({ costs }: Entrant): number => spreadOf(costs.map(({ cpuMs }) => cpuMs)).median
  const others = one.name === 'millrace' ? entrants.filter((other) => other !== one) : []
  return {
    name: one.name === 'millrace' ? 'end-to-end' : `end-to-end/${one.name}`,
    data: 'topic',
    events,
    nsPerEvent: spreadOf(one.costs.map(({ wallMs }) => (wallMs * 1e6) / events)),
    cpuNsPerEvent: (cpu(one) * 1e6) / events,
    memoryMb: Math.max(...one.costs.map(({ memoryBytes }) => memoryBytes / 1e6)),
    brokerCpuNsPerEvent: (spreadOf(one.costs.map(({ brokerCpuMs }) => brokerCpuMs)).median * 1e6) / events,
    ratio: Object.fromEntries(
      others.flatMap((other) => [
        [other.name, wall(other) / wall(one)],
        [`${other.name} in CPU`, cpu(other) / cpu(one)],
      ]),
    ),
  }
}
