import { formatTime } from '../base/time.ts'
import { cellValue } from '../batch/cell.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { ResultBatch } from '../batch/result-batch.ts'
import { createScalarDecoder } from '../batch/scalar-decoder.ts'
import { createEngine } from '../engine/pipeline.ts'
import { sinkName } from '../plan/check-sinks.ts'
import { type PipelinePlan, WINDOW_END, WINDOW_START } from '../plan/node.ts'
import { queryChain } from '../plan/query-chain.ts'

/** What a pipeline makes of a record by itself, apart from every other. */
export interface Judgement {
  readonly fate: string
  readonly rule: string | null
  readonly windows: readonly {
    readonly query: string
    readonly start: string
    readonly end: string
    readonly closed: boolean
    readonly sinks: readonly string[]
  }[]
}

/**
 * Runs one record through a fresh engine: its filters, rules and windows are those of the job, and nothing is late. `watermarksMs` say
 * which windows have closed in the job meanwhile.
 */
export async function judgeRecord(
  plan: PipelinePlan,
  records: EncodedRecords,
  offset: number,
  watermarksMs: readonly number[],
): Promise<Judgement> {
  const { LocalRunner } = await import('../job/local-runner.ts')
  const engine = createEngine(plan, {
    hashKey: [0, 0],
    advanceWhenIdle: false,
    extraModes: ['update'],
    groupsMax: 1_000,
  })
  engine.addPartitions(['the partition'])
  const knownMembers = new Set(
    plan.queries.flatMap(({ root }) => queryChain(root).source.schema.fields.map((field) => field.from ?? field.name)),
  )
  const decoder = createScalarDecoder({ fields: engine.fields, knownMembers, hashSeed: 1, dictionaryEntriesMax: 1_000 })
  const ranges = [{ partition: 0, from: offset, to: offset + 1 }]
  const clockMs = Number.MAX_SAFE_INTEGER
  const epoch = { epoch: 1, previous: 0, clockMs, ranges, idle: [], ended: [], flush: false }
  const results = await new LocalRunner(engine, decoder).compute(epoch, [[records]])
  const [entry] = results.ledger
  const watermarkMs = Math.min(...watermarksMs)
  return {
    fate: entry?.fate ?? 'unknown',
    rule: entry?.rule || null,
    windows: plan.queries.flatMap((query, index) => {
      const rows = results.queries[index]?.update
      const sinks = query.sinks.map((sink) => sinkName(query.name, sink))
      return rows
        ? windowsIn(rows).map(([start, end]) => ({
            query: query.name,
            start: formatTime(start),
            end: formatTime(end),
            closed: end <= watermarkMs,
            sinks,
          }))
        : []
    }),
  }
}

function windowsIn(rows: ResultBatch): [number, number][] {
  const times = [WINDOW_START, WINDOW_END].map((name) => rows.fields.findIndex((field) => field.name === name))
  return Array.from({ length: rows.rowCount }, (_, row): [number, number] => {
    const [start, end] = times.map((index) => {
      const [column, field] = [rows.columns[index], rows.fields[index]]
      return column && field ? Number(cellValue(column, field, row)) : Number.NaN
    })
    return [start as number, end as number]
  })
}
