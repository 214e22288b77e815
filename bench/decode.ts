import assert from 'node:assert/strict'
import type { DecoderOptions } from '../src/batch/json-decoder.ts'
import { createScalarDecoder } from '../src/batch/scalar-decoder.ts'
import { createWasmDecoder } from '../src/batch/wasm-decoder.ts'
import { copying, decoding, parsedTotals, parsing, totalsOf, WARM_UPS } from './decode/contenders.ts'
import { DATA_NAMES, type DataSet, dataSet } from './decode/data.ts'
import { eventSchema, OTHER_MEMBERS } from './decode/events.ts'
import { experiment } from './decode/experiment.ts'
import { loadedModule } from './decode/loaded-module.ts'
import type { Bench, BenchOptions, BenchResult } from './support/bench.ts'
import { measure, resultOf } from './support/measure.ts'

const RUNS = 7

/** JSON lines to columns on one core; with `--experiment DIR` also against the experiment that the decoder came from. */
export const bench: Bench = {
  name: 'decode',
  summary: 'JSON lines, copied in batches of 256 KB and decoded to 11 columns, on one core',
  async run(options: BenchOptions): Promise<readonly BenchResult[]> {
    const names = options.data === undefined ? DATA_NAMES : [options.data]
    const results: BenchResult[] = []
    for (const name of names) results.push(...(await runOn(dataSet(name), options)))
    return results
  },
}

async function runOn(data: DataSet, options: BenchOptions): Promise<BenchResult[]> {
  const { fields } = eventSchema(data.name)
  const known = [...fields.map((field) => field.from ?? field.name), ...OTHER_MEMBERS]
  const decoderOptions: DecoderOptions = {
    fields,
    knownMembers: new Set(known),
    hashSeed: 1,
    dictionaryEntriesMax: 1 << 20,
  }
  const scalar = () => createScalarDecoder(decoderOptions)
  const wasm = () => createWasmDecoder(decoderOptions, loadedModule())
  const totals = totalsOf(data, wasm())
  assert.deepEqual(totalsOf(data, scalar()), totals, 'the scalar decoder reads the same')
  assert.deepEqual(parsedTotals(data, fields), totals, 'JSON.parse reads the same')

  const contenders = [
    decoding('wasm', data, wasm),
    decoding('first pass', data, wasm, { fresh: true }),
    decoding('scalar', data, scalar),
    parsing(data, fields),
    copying(data),
    ...(options.experiment === undefined ? [] : [experiment(options.experiment, data, fields)]),
  ]
  const measured = await measure(contenders, { warmUps: WARM_UPS, runs: RUNS })
  const [ours, ...peers] = measured
  assert.ok(ours)
  const worst = new Map(contenders.map((contender) => [contender.name, contender.worstBatchMs()]))
  const shown = peers.map((peer) => ({
    ...resultOf({ name: `decode/${peer.name}`, data: data.name }, peer),
    worstBatchMs: worst.get(peer.name) ?? Number.NaN,
  }))
  const subject = resultOf({ name: 'decode', data: data.name }, ours, peers)
  return [...shown.reverse(), { ...subject, worstBatchMs: worst.get('wasm') ?? Number.NaN }]
}
