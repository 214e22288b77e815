import { assert } from '../../../src/base/assert.ts'
import type { Field } from '../../../src/batch/schema.ts'
import type { Line, Script } from './script.ts'
import { DAY_MS, parseTimeOfDay } from './script.ts'

/** One epoch of a timeline: its rows, what the plan says, and the lines that it is made of. */
export interface ScriptEpoch {
  readonly rows: readonly ScriptRow[]
  readonly clockMs: number
  /** Partition and since when, by the clock of the first plan that says so. */
  readonly idle: ReadonlyMap<number, number>
  readonly ended: readonly number[]
  readonly flush: boolean
  readonly lines: readonly Line[]
}

/** A row that a line writes. */
export interface ScriptRow {
  readonly partition: number
  readonly json: string
  readonly line: Line
}

/** Long after every event: nothing is stamped ahead of its arrival unless the text sets the clock. */
const CLOCK_MS = DAY_MS + 365 * 86_400_000

/**
 * Cuts a script into epochs of up to `rowsMax` rows. A row that is expected to be late begins an epoch, because it is late only for what
 * was computed before it, and one that is asked where the watermark stands ends it. `place` says which partition an epoch's rows go to when the text does not.
 */
export function cutIntoEpochs(
  script: Script,
  fields: readonly Field[],
  rowsMax: number,
  place: (epoch: number, row: number) => number,
): ScriptEpoch[] {
  const epochs: ScriptEpoch[] = []
  const marked = script.some(({ step }) => step.kind === 'epoch')
  const explicit = usesPartitions(script)
  const idle = new Map<number, number>()
  const ended: number[] = []
  let [clockMs, partition] = [CLOCK_MS, 0]
  let rows: ScriptRow[] = []
  let lines: Line[] = []
  const cut = (flush: boolean): void => {
    for (const row of rows) idle.delete(row.partition)
    epochs.push({ rows, clockMs, idle: new Map(idle), ended: [...ended], flush, lines })
    rows = []
    lines = []
  }
  for (const line of script) {
    const { step } = line
    if (step.kind === 'event' || step.kind === 'raw') {
      const late = line.expected.some((text) => /(^| )late$/.test(text))
      if (rows.length > 0 && !marked && (late || rows.length >= rowsMax)) cut(false)
      const at = explicit ? partition : place(epochs.length, rows.length)
      rows.push({ partition: at, json: step.kind === 'raw' ? step.value : rowJson(line, fields), line })
      lines.push(line)
      if (!marked && line.expected.some((text) => text.includes('watermark '))) cut(false)
      continue
    }
    if (step.kind === 'partition') {
      assert(line.expected.length === 0, 'nothing happens on a line that switches partition')
      partition = step.partition
      continue
    }
    if (rows.length > 0 && step.kind !== 'epoch') cut(false)
    if (step.kind === 'clock') clockMs = step.clockMs
    if (step.kind === 'idle') idle.set(step.partition, clockMs)
    if (step.kind === 'ended') ended.push(step.partition)
    lines.push(line)
    cut(step.kind === 'end')
  }
  if (rows.length > 0) cut(false)
  return epochs
}

/** True when the text says which partition gives what. */
export function usesPartitions(script: Script): boolean {
  return script.some(({ step }) => step.kind === 'partition' || step.kind === 'idle' || step.kind === 'ended')
}

/** Columns stand in the order of the schema, event time first; `null` is null, what is not written is missing. */
function rowJson({ step, text }: Line, fields: readonly Field[]): string {
  assert(step.kind === 'event', 'only events have columns')
  assert(step.columns.length < fields.length, `"${text}" has more columns than the schema`)
  const members = [step.timeText, ...step.columns].map((value, index) => {
    const field = fields[index] as Field
    return `${JSON.stringify(field.from ?? field.name)}:${valueJson(value, field)}`
  })
  return `{${members.join(',')}}`
}

function valueJson(value: string, field: Field): string {
  if (value === 'null') return 'null'
  if (field.type === 'timestamp') return String(DAY_MS + parseTimeOfDay(value))
  return field.type === 'string' || field.type === 'uuid' ? JSON.stringify(value) : value
}
