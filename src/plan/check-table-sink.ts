import type { Field } from '../batch/schema.ts'
import type { DuckDbSinkSpec, LatestViewSpec, PostgresSinkSpec } from './connectors.ts'
import { WINDOW_END, WINDOW_START } from './node.ts'
import { nameTaken, type PlanProblem, shown, TakenNames, unknownColumn } from './plan-problem.ts'
import { type NamedField, tableColumns, tableKey } from './table-columns.ts'

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
  const columns = fields && tableColumns(sink, fields)
  for (const name of [...names, ...(columns ?? []).map((column) => column.name)]) {
    if (IDENTIFIER.test(name)) continue
    const hint = 'use lower-case letters, digits and "_", a letter or "_" first, 63 characters at most'
    problems.push({ path, message: `"${shown(name)}" is not a name for a table or column`, hint })
  }
  for (const name of names.filter((one) => one.startsWith('millrace_'))) {
    problems.push({ path, message: `the table "${name}" is one of Millrace's own`, hint: 'name another one' })
  }
  if (sink.kind === 'postgres' && sink.latest)
    problems.push(...checkLatest(sink.latest, sink.table, tableKey(sink, queryKey), path))
  if (fields) problems.push(...checkColumns(sink, fields, path))
  if (columns) problems.push(...checkKey(sink, columns, queryKey, path))
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

function checkColumns(
  { columns }: PostgresSinkSpec | DuckDbSinkSpec,
  fields: readonly Field[],
  path: string,
): PlanProblem[] {
  if (!columns) return []
  if (columns.length === 0) {
    const hint = 'leave `columns` out to take all of the query'
    return [{ path: `${path}.columns`, message: 'the table has no column', hint }]
  }
  const names = new TakenNames()
  return columns.flatMap(({ name, column }) => {
    const at = `${path}.columns.${shown(name)}`
    return [
      ...(fields.some((one) => one.name === column) ? [] : [unknownColumn(at, column, fields)]),
      ...(names.take(name) ? [] : [nameTaken(at, 'column', name)]),
    ]
  })
}

function checkKey(
  sink: PostgresSinkSpec | DuckDbSinkSpec,
  columns: readonly NamedField[],
  queryKey: readonly string[],
  path: string,
): PlanProblem[] {
  const names = tableKey(sink, queryKey)
  const at = `${path}.key`
  const problems: PlanProblem[] = []
  const key: string[] = []
  for (const name of names) {
    const found = columns.find((one) => one.name === name)
    if (found) key.push(found.field.name)
    else
      problems.push(
        unknownColumn(
          at,
          name,
          columns.map((one) => ({ ...one.field, name: one.name })),
        ),
      )
  }
  if (problems.length > 0) return problems
  if (new Set(key).size < key.length) {
    problems.push({ path: at, message: 'a column is named twice', hint: 'name each key column once' })
  }
  if (names.length === 0) {
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
