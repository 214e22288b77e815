import { assert, unreachable } from '../base/assert.ts'
import type { Batch } from '../batch/batch.ts'
import { BOOLEAN_NULL, type Column } from '../batch/column.ts'
import { type Field, fieldIndex } from '../batch/schema.ts'
import { col, type Expression, isIn, not } from '../plan/expression.ts'
import type { Rule } from '../plan/rule.ts'
import { compilePredicate, type Predicate, TRUE, units } from './predicate.ts'

/** A rule, compiled: marks the rows that break it. */
interface CompiledRule {
  readonly name: string
  readonly reason: string
  /** Writes `mark` into `broken` at every row that breaks the rule and has broken none before. */
  check(batch: Batch, broken: Uint8Array, mark: number): void
}

/** Checks rows against the required fields of the schema and the rules of a source. The first rule that a row breaks is the reason. */
export class Validator {
  readonly rules: readonly CompiledRule[]
  #broken = new Uint8Array(1024)

  constructor(fields: readonly Field[], rules: readonly Rule[]) {
    const required = fields
      .filter((field) => field.required)
      .map((field) => requiredRule(`${field.name}-required`, field.name, fields, undefined))
    this.rules = [...required, ...rules.map((rule) => compileRule(rule, fields))]
    assert(this.rules.length < 255, 'a rule has a number of one byte')
  }

  /** Per row: 0 when it keeps all rules, else 1 + the index of the rule that it breaks. Valid until the next call. */
  check(batch: Batch): Uint8Array {
    if (this.#broken.length < batch.rowCount) this.#broken = new Uint8Array(batch.rowCount * 2)
    const broken = this.#broken.fill(0, 0, batch.rowCount)
    for (const [index, rule] of this.rules.entries()) rule.check(batch, broken, index + 1)
    return broken
  }
}

function compileRule(rule: Rule, fields: readonly Field[]): CompiledRule {
  const { name, column } = rule
  const index = fieldIndex({ fields }, column)
  switch (rule.kind) {
    case 'required': {
      const { when } = rule
      return requiredRule(name, column, fields, when && compilePredicate(isIn(col(when.column), when.values), fields))
    }
    case 'one-of':
      return predicateRule(
        name,
        `"${column}" is none of ${listed(rule.values)}`,
        not(isIn(col(column), rule.values)),
        fields,
      )
    case 'range': {
      const scale = fields[index]?.scale ?? 0
      const low = rule.min === undefined ? Number.NEGATIVE_INFINITY : units(rule.min, scale)
      const high = rule.max === undefined ? Number.POSITIVE_INFINITY : units(rule.max, scale)
      const reason = `"${column}" is not within ${rule.min ?? '-infinity'} and ${rule.max ?? 'infinity'}`
      return rowRule(name, reason, (batch, row) => {
        const value = numberAt(batch.columns[index] as Column, row)
        return value < low || value > high
      })
    }
    case 'length':
      return rowRule(name, `"${column}" is longer than ${rule.bytesMax} bytes`, (batch, row) => {
        return textLengthAt(batch.columns[index] as Column, row) > rule.bytesMax
      })
    default:
      return unreachable(rule)
  }
}

function requiredRule(
  name: string,
  column: string,
  fields: readonly Field[],
  when: Predicate | undefined,
): CompiledRule {
  const index = fieldIndex({ fields }, column)
  return {
    name,
    reason: `"${column}" is null or missing`,
    check(batch, broken, mark) {
      const applies = when?.(batch)
      markNulls(batch.columns[index] as Column, applies, batch.rowCount, broken, mark)
    },
  }
}

function predicateRule(name: string, reason: string, breaks: Expression, fields: readonly Field[]): CompiledRule {
  const predicate = compilePredicate(breaks, fields)
  return {
    name,
    reason,
    check(batch, broken, mark) {
      const truths = predicate(batch)
      for (let row = 0; row < batch.rowCount; row++) {
        if (truths[row] === TRUE && broken[row] === 0) broken[row] = mark
      }
    },
  }
}

function rowRule(name: string, reason: string, breaks: (batch: Batch, row: number) => boolean): CompiledRule {
  return {
    name,
    reason,
    check(batch, broken, mark) {
      for (let row = 0; row < batch.rowCount; row++) {
        if (broken[row] === 0 && breaks(batch, row)) broken[row] = mark
      }
    },
  }
}

function markNulls(
  column: Column,
  applies: Uint8Array | undefined,
  rowCount: number,
  broken: Uint8Array,
  mark: number,
): void {
  for (let row = 0; row < rowCount; row++) {
    if (broken[row] === 0 && nullAt(column, row) && (!applies || applies[row] === TRUE)) broken[row] = mark
  }
}

function nullAt(column: Column, row: number): boolean {
  switch (column.kind) {
    case 'dictionary':
      return (column.codes[row] as number) < 0
    case 'string':
      return (column.lengths[row] as number) < 0
    case 'number':
      return Number.isNaN(column.values[row])
    case 'boolean':
      return column.values[row] === BOOLEAN_NULL
    case 'int32':
    case 'uuid':
      return column.validity[row] === 0
    default:
      return unreachable(column)
  }
}

/** NaN for null, which is outside of no range. */
function numberAt(column: Column, row: number): number {
  if (column.kind === 'number') return column.values[row] as number
  assert(column.kind === 'int32', 'the plan was checked: the column is numeric')
  return column.validity[row] === 0 ? Number.NaN : (column.values[row] as number)
}

function textLengthAt(column: Column, row: number): number {
  if (column.kind === 'string') return column.lengths[row] as number
  assert(column.kind === 'dictionary', 'the plan was checked: the column is text')
  const code = column.codes[row] as number
  return code < 0 ? 0 : column.dictionary.bytes(code).length
}

function listed(values: readonly string[]): string {
  const shown = values.slice(0, 5).join(', ')
  return values.length > 5 ? `${shown}, ... (${values.length} in all)` : shown
}
