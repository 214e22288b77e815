import type { Field } from '../batch/schema.ts'
import type { SinkSpec } from './connectors.ts'
import { type PlanProblem, shown, unknownColumn } from './plan-problem.ts'
import type { QueryChain } from './query-chain.ts'
import { type SinkTraits, sinkTraits } from './sink-traits.ts'

/** The rows that a query gives to its sinks. */
export interface QueryRows {
  readonly output: QueryChain['output']
  /** Their columns; undefined when they cannot be told. */
  readonly fields: readonly Field[] | undefined
  /** Names of the columns that tell them apart. */
  readonly key: readonly string[]
}

/** Everything wrong with a sink for the rows of a query. */
export function checkOutput(sink: SinkSpec, rows: QueryRows, path: string): PlanProblem[] {
  return checkTraits(sinkTraits(sink), sink.kind, rows, path)
}

/** As `checkOutput`, for a sink of these traits. */
export function checkTraits(
  { mode, deletes, key }: SinkTraits,
  kind: string,
  { output, fields, key: queryKey }: QueryRows,
  path: string,
): PlanProblem[] {
  const problems: PlanProblem[] = []
  const window = output?.kind === 'aggregate' ? output.window.kind : undefined
  if (output?.kind === 'select' && mode !== 'append') {
    const hint = "use mode 'append'; other modes are for windows"
    problems.push({ path, message: `rows as they are never change, so mode ${mode} says nothing`, hint })
  }
  if (window === 'global' && mode === 'append') {
    const hint = 'use a sink in update or complete mode, or windows that close'
    problems.push({ path, message: `${kind} waits for windows to close, and global() never does`, hint })
  }
  if (window === 'session' && mode === 'update' && !deletes) {
    const hint = "use mode 'append', in which each session comes once, when it has closed"
    problems.push({ path, message: `${kind} cannot take back rows, and sessions that grow together vanish`, hint })
  }
  if (key && fields) problems.push(...checkKey(key === 'query' ? queryKey : key, fields, path))
  return problems
}

function checkKey(key: readonly string[], fields: readonly Field[], path: string): PlanProblem[] {
  const problems: PlanProblem[] = []
  for (const name of key) {
    const field = fields.find((one) => one.name === name)
    if (!field) problems.push(unknownColumn(`${path}.key`, name, fields))
    if (!field || field.required) continue
    const message = `the key column "${shown(name)}" may be null`
    const hint = `group by a column that is not: .derive({ ${shown(name)}_or_none: coalesce(col('${shown(name)}'), 'none') })`
    problems.push({ path: `${path}.key`, message, hint })
  }
  return problems
}
