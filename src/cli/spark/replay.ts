import { assert } from '../../base/assert.ts'
import { cellValue } from '../../batch/cell.ts'
import type { ResultBatch } from '../../batch/result-batch.ts'
import { createEngine } from '../../engine/pipeline.ts'
import { createDecoder } from '../../job/create-decoder.ts'
import { loadDecoderModule } from '../../job/decoder-module.ts'
import { LocalRunner } from '../../job/local-runner.ts'
import type { PipelinePlan } from '../../plan/node.ts'
import type { Source } from '../../sources/source.ts'

/** What one micro-batch read; nothing for one that Spark adds because the watermark has moved. */
export type EpochCut = readonly SourceRange[]

/** Offsets `from <= offset < to` of a partition. */
export interface SourceRange {
  readonly partition: string
  readonly from: number
  readonly to: number
}

/** A row by the names of its columns; times in ms, decimals as the nearest double. */
export type ResultRow = Readonly<Record<string, string | number | boolean | null>>

/** A row, and the micro-batch or epoch that gave it, from 0. */
export interface DatedRow {
  readonly epoch: number
  readonly row: ResultRow
}

const GROUPS_MAX = 20_000_000
const DICTIONARY_ENTRIES_MAX = 1 << 20

/** Runs a plan here over exactly these cuts; the rows of each of its queries, in append mode. */
export async function replay(
  plan: PipelinePlan,
  source: Source,
  cuts: readonly EpochCut[],
): Promise<ReadonlyMap<string, DatedRow[]>> {
  const engine = createEngine(plan, {
    hashKey: [1, 2],
    advanceWhenIdle: false,
    extraModes: ['append'],
    groupsMax: GROUPS_MAX,
  })
  const decoder = createDecoder(
    { fields: engine.fields, knownMembers: new Set(), hashSeed: 1, dictionaryEntriesMax: DICTIONARY_ENTRIES_MAX },
    loadDecoderModule(() => {}),
  )
  const runner = new LocalRunner(engine, decoder)
  const ids = [...new Set(cuts.flat().map(({ partition }) => partition))]
  runner.addPartitions(ids)
  const rows = new Map<string, DatedRow[]>(plan.queries.map(({ name }) => [name, []]))
  const { signal } = new AbortController()
  for (const [epoch, cut] of cuts.entries()) {
    const ranges = cut.map(({ partition, from, to }) => ({ partition: ids.indexOf(partition), from, to }))
    const records = cut.map(({ partition, from, to }) => source.read(partition, from, to, signal))
    const results = await runner.compute(
      { epoch: epoch + 1, previous: epoch, clockMs: 0, ranges, idle: [], ended: [], flush: false },
      records,
    )
    for (const [index, { append }] of results.queries.entries()) {
      const own = rows.get(plan.queries[index]?.name ?? '')
      assert(own, 'an engine has the queries of its plan')
      for (const row of resultRows(append)) own.push({ epoch, row })
    }
  }
  return rows
}

function* resultRows(batch: ResultBatch | undefined): Generator<ResultRow> {
  if (!batch) return
  for (let row = 0; row < batch.rowCount; row++) {
    const cells = batch.fields.map((field, index) => {
      const column = batch.columns[index]
      assert(column, 'a field has a column')
      return [field.name, cellValue(column, field, row)] as const
    })
    yield Object.fromEntries(cells)
  }
}
