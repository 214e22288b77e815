import { and, col, type Expression, eq, ge, isNull, le, lt } from '../../plan/expression.ts'
import { rowProperty } from '../../plan/functions.ts'
import type { AggregateNode, PipelinePlan, QueryPlan } from '../../plan/node.ts'
import { queryChain } from '../../plan/query-chain.ts'
import type { Source } from '../../sources/source.ts'
import { type EpochCut, type ResultRow, replay } from './replay.ts'

/** An event that belongs to a window and key. */
export interface InvolvedEvent {
  readonly partition: string
  readonly offset: number
  readonly epoch: number
  readonly eventTimeMs: number
  readonly late: boolean
}

/**
 * The events of the input that a row is made of, found by the query's own steps, the last of them replaced: whoever has the row's key, and an
 * event time within the window. Late ones are among them, told apart.
 */
export async function involvedEvents(
  plan: PipelinePlan,
  query: QueryPlan,
  key: ResultRow,
  source: Source,
  cuts: readonly EpochCut[],
): Promise<InvolvedEvent[]> {
  const { aggregate, watermark } = queryChain(query.root)
  if (!aggregate || !watermark) return []
  const predicate = and(...conditions(aggregate, watermark.column, key))
  const columns = [
    { name: 'time', expression: col(watermark.column) },
    { name: 'partition', expression: rowProperty('partition') },
    { name: 'offset', expression: rowProperty('offset') },
    { name: 'late', expression: rowProperty('late') },
  ]
  const root = { kind: 'select', input: { kind: 'filter', input: aggregate.input, predicate }, columns } as const
  // The query stays beside it: only a windowed query makes a row late.
  const queries = [
    { ...query, sinks: [] },
    { name: `${query.name}_events`, root, sinks: [] },
  ]
  const partitions = [...new Set(cuts.flat().map(({ partition }) => partition))]
  const rows = await replay({ ...plan, queries }, source, cuts)
  return (rows.get(`${query.name}_events`) ?? []).map(({ epoch, row }) => ({
    epoch,
    eventTimeMs: Number(row['time']),
    partition: partitions[Number(row['partition'])] ?? '',
    offset: Number(row['offset']),
    late: row['late'] === true,
  }))
}

function conditions({ keys, window }: AggregateNode, time: string, key: ResultRow): Expression[] {
  const ofKeys = keys.map((name) => {
    const value = key[name] ?? null
    return value === null ? isNull(col(name)) : eq(col(name), value)
  })
  const start = Number(key['window_start'] ?? key['session_start'])
  // How long a session is, the two sides may not agree on: its first gap is enough to see why.
  const end = window.kind === 'session' ? le(col(time), start + window.gapMs) : lt(col(time), Number(key['window_end']))
  return [...ofKeys, ge(col(time), start), end]
}
