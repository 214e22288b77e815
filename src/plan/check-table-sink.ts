import type { Field } from '../batch/schema.ts'
import type { DuckDbSinkSpec, LatestViewSpec, PostgresSinkSpec } from './connectors.ts'
import { WINDOW_END, WINDOW_START } from './node.ts'
import { type PlanProblem, shown, unknownColumn } from './plan-problem.ts'

/** Names that mean the same in every database, quoted or not. */
const IDENTIFIER = /^[a-z_][a-z0-9_]{0,62}$/

/** Everything wrong with a sink that writes to a table; `queryKey` holds the columns that tell the query's rows apart. */
export function checkTableSink(
  sink: PostgresSinkSpec | DuckDbSinkSpec,
  fields: readonly Field[] | undefined,
  queryKey: readonly string[],
  path: string,
): PlanProblem[] {
  const problems: PlanProblem[] = []
  const names = [sink.table]
  if (sink.kind === 'postgres') {
    if (sink.schema !== undefined) names.push(sink.schema)
    if (sink.latest) names.push(sink.latest.view)
  }
  for (const name of [...names, ...(fields ?? []).map((field) => field.name)]) {
    if (IDENTIFIER.test(name)) continue
    const hint = 'use lower-case letters, digits and "_", a letter or "_" first, 63 characters at most'
    problems.push({ path, message: `"${shown(name)}" is not a name for a table or column`, hint })
  }
  for (const name of names.filter((one) => one.startsWith('millrace_'))) {
    problems.push({ path, message: `the table "${name}" is one of Millrace's own`, hint: 'name another one' })
  }
  if (sink.kind === 'postgres' && sink.latest)
    problems.push(...checkLatest(sink.latest, sink.table, sink.key ?? queryKey, path))
  if (fields) problems.push(...checkKey(sink, fields, queryKey, path))
  return problems
}

/** What a table is, as far as the plan alone can tell. */
export function tableOf(sink: PostgresSinkSpec | DuckDbSinkSpec): string {
  const place = sink.kind === 'postgres' ? [sink.url, sink.schema ?? 'public'] : [sink.file]
  return JSON.stringify([sink.kind, ...place, sink.table])
}

/** Of rows with the same `per` the last is shown: there must be a rest of the key to tell which that is. */
function checkLatest(
  { per, view }: LatestViewSpec,
  table: string,
  key: readonly string[],
  path: string,
): PlanProblem[] {
  if (view === table)
    return [
      { path: `${path}.latest`, message: `the view is called like its table, "${table}"`, hint: 'name it otherwise' },
    ]
  const fine = per.length > 0 && per.length < key.length && per.every((name) => key.includes(name))
  if (fine && new Set(per).size === per.length) return []
  const message = `the view "${shown(view)}" is per (${shown(per.join(', '))}), which is not a part of the key (${key.join(', ')})`
  return [{ path: `${path}.latest`, message, hint: 'name some of the key columns, but not all' }]
}

function checkKey(
  sink: PostgresSinkSpec | DuckDbSinkSpec,
  fields: readonly Field[],
  queryKey: readonly string[],
  path: string,
): PlanProblem[] {
  const key = sink.key ?? queryKey
  const at = `${path}.key`
  const problems: PlanProblem[] = []
  for (const name of key) {
    if (!fields.some((one) => one.name === name)) problems.push(unknownColumn(at, name, fields))
  }
  if (problems.length > 0) return problems
  if (new Set(key).size < key.length) {
    problems.push({ path: at, message: 'a column is named twice', hint: 'name each key column once' })
  }
  if (key.length === 0) {
    if (sink.mode === 'append') return problems
    return [{ path: at, message: 'update mode needs a key', hint: 'leave `key` out to take that of the query' }]
  }
  // Either bound of a window tells it from the others.
  const bounds = [WINDOW_START, WINDOW_END]
  const boundNamed = bounds.some((name) => key.includes(name))
  const missing = queryKey.filter((name) => !key.includes(name) && !(boundNamed && bounds.includes(name)))
  if (missing.length > 0) {
    const message = `rows that differ in "${shown(missing.join('", "'))}" only would overwrite each other`
    problems.push({ path: at, message, hint: `add ${shown(missing.join(', '))} to the key` })
  }
  return problems
}
