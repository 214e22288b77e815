import { assert } from '../../../src/base/assert.ts'
import { cellText, cellValue } from '../../../src/batch/cell.ts'
import { type ResultBatch, RowChange } from '../../../src/batch/result-batch.ts'
import type { QueryOutput } from '../../../src/engine/engine.ts'
import type { EpochResults } from '../../../src/engine/epoch.ts'
import type { OutputMode } from '../../../src/plan/connectors.ts'
import type { ScriptEpoch } from './epochs.ts'
import { DAY_MS, formatTimeOfDay, parseTimeOfDay } from './script.ts'

/** Words that a line expects of its own row, instead of it being accepted. */
const FATES = ['malformed', 'invalid', 'filtered', 'future', 'expired', 'duplicate', 'late']

/** What an epoch gave, in the words of a timeline, sorted: rows, fates that are not `accepted`, and watermarks where they are asked for. */
export function observed(
  epoch: ScriptEpoch,
  results: EpochResults,
  queries: readonly QueryOutput[],
  mode: OutputMode,
  watermarks: ReadonlyMap<string, number>,
): string[] {
  const seen: string[] = []
  for (const [index, query] of queries.entries()) {
    const prefix = queries.length > 1 ? `${query.name}: ` : ''
    const result = results.queries[index]
    seen.push(...rowTexts(result?.[mode]).map((text) => `${prefix}${text}`))
    // With one query a late row is told by its fate already.
    if (prefix !== '') for (let row = 0; row < (result?.lateRows ?? 0); row++) seen.push(`${prefix}late`)
  }
  for (const { fate, rule, rows } of results.ledger) {
    if (fate === 'accepted') continue
    for (let row = 0; row < rows; row++) seen.push(rule === '' ? fate : `${fate} ${rule}`)
  }
  for (const [id, timeMs] of watermarks) {
    const wanted = watermarks.size > 1 ? `${id.split('/')[0]}: watermark` : 'watermark'
    if (expectedOf(epoch).some((text) => text.startsWith(wanted))) seen.push(`${wanted} ${formatTimeOfDay(timeMs)}`)
  }
  return seen.sort()
}

/** What the lines of an epoch expect, in the same words. */
export function expectedOf({ lines }: ScriptEpoch): string[] {
  return lines.flatMap(({ expected }) => expected.map(canonical)).sort()
}

/** The fate that a row's line expects. */
export function expectedFate(expected: readonly string[]): string {
  return expected.find((text) => FATES.includes(text.split(' ')[0] ?? '')) ?? 'accepted'
}

/** Windows with the shortest times, columns with one blank between them. */
function canonical(text: string): string {
  const match = /^(\w+: )?\[(\S+), (\S+)([)\]])(.*)$/.exec(text)
  if (!match) return text.replace(/\s+/g, ' ')
  const [, prefix = '', start = '', end = '', bracket = '', rest = ''] = match
  return `${prefix}[${shortTime(start)}, ${shortTime(end)}${bracket} ${rest.trim().replace(/\s+/g, ' ')}`
}

function shortTime(text: string): string {
  return text === 'null' ? text : formatTimeOfDay(DAY_MS + parseTimeOfDay(text))
}

/** `[00:00, 00:01) /home 2`, without a window `row /home 2`; in update mode with `final` or `deleted` behind it. */
function rowTexts(rows: ResultBatch | undefined): string[] {
  if (!rows) return []
  return Array.from({ length: rows.rowCount }, (_, row) => {
    const cells = rows.fields.map((field, index) => {
      const column = rows.columns[index]
      assert(column, 'a field has a column')
      const value = cellValue(column, field, row)
      if (value === null) return 'null'
      return field.type === 'timestamp' ? formatTimeOfDay(value as number) : cellText(column, field, row)
    })
    const [kind] = (rows.fields[0]?.name ?? '').split('_')
    const change = changeText(rows.changes?.[row])
    if (kind !== 'window' && kind !== 'session') return ['row', ...cells, ...change].join(' ')
    const [start, end, ...values] = cells
    return [`[${start}, ${end}${kind === 'session' ? ']' : ')'}`, ...values, ...change].join(' ')
  })
}

function changeText(change: number | undefined): string[] {
  if (change === RowChange.final) return ['final']
  return change === RowChange.deleted ? ['deleted'] : []
}
