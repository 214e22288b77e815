import { unreachable } from '../../base/assert.ts'
import type { Batch } from '../../batch/batch.ts'
import type { Column } from '../../batch/column.ts'
import { type Field, fieldIndex } from '../../batch/schema.ts'
import { col, type Expression, isIn, not } from '../../plan/expression.ts'
import type { Rule } from '../../plan/rule.ts'
import { compilePredicate, type Predicate, TRUE, units } from '../predicate.ts'
import { longTextMarker, markNulls, markOutside } from './marks.ts'

/** A rule, compiled: marks the rows that break it. */
export interface CompiledRule {
  readonly name: string
  /** In words. */
  readonly reason: string
  /** Writes `mark` into `broken` at every row that breaks the rule and has broken none before. */
  check(batch: Batch, broken: Uint8Array, mark: number): void
}

/** Compiles a rule of a checked plan over batches with these fields. */
export function compileRule(rule: Rule, fields: readonly Field[]): CompiledRule {
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
      return {
        name,
        reason,
        check: (batch, broken, mark) =>
          markOutside(batch.columns[index] as Column, low, high, batch.rowCount, broken, mark),
      }
    }
    case 'length': {
      const markLong = longTextMarker(rule.bytesMax)
      return {
        name,
        reason: `"${column}" is longer than ${rule.bytesMax} bytes`,
        check: (batch, broken, mark) => markLong(batch.columns[index] as Column, batch.rowCount, broken, mark),
      }
    }
    default:
      return unreachable(rule)
  }
}

/** A column that must not be null, in every row or in those for which a predicate is true. */
export function requiredRule(
  name: string,
  column: string,
  fields: readonly Field[],
  when: Predicate | undefined,
): CompiledRule {
  const index = fieldIndex({ fields }, column)
  let nulls = new Uint8Array(0)
  return {
    name,
    reason: `"${column}" is null or missing`,
    check(batch, broken, mark) {
      const { rowCount } = batch
      if (!when) {
        markNulls(batch.columns[index] as Column, rowCount, broken, mark)
        return
      }
      nulls = nulls.length < rowCount ? new Uint8Array(rowCount * 2) : nulls.fill(0, 0, rowCount)
      markNulls(batch.columns[index] as Column, rowCount, nulls, TRUE)
      const applies = when(batch)
      for (let row = 0; row < rowCount; row++) {
        if (nulls[row] === TRUE && applies[row] === TRUE && broken[row] === 0) broken[row] = mark
      }
    },
  }
}

function predicateRule(name: string, reason: string, breaks: Expression, fields: readonly Field[]): CompiledRule {
  const predicate = compilePredicate(breaks, fields)
  return { name, reason, check: (batch, broken, mark) => markTrue(predicate(batch), batch.rowCount, broken, mark) }
}

function markTrue(truths: Uint8Array, rowCount: number, broken: Uint8Array, mark: number): void {
  for (let row = 0; row < rowCount; row++) if (truths[row] === TRUE && broken[row] === 0) broken[row] = mark
}

function listed(values: readonly string[]): string {
  const shown = values.slice(0, 5).join(', ')
  return values.length > 5 ? `${shown}, ... (${values.length} in all)` : shown
}
