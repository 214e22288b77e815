import type { LiteralValue } from './expression.ts'

/**
 * A check that each row of a source must pass, as data; a row that fails is `invalid` with the rule's name as the reason.
 * A rule about a column that is null passes, but for `required` (every required field of a schema is one by itself).
 */
export type Rule =
  | { readonly kind: 'required'; readonly name: string; readonly column: string; readonly when?: RuleCondition }
  | { readonly kind: 'one-of'; readonly name: string; readonly column: string; readonly values: readonly string[] }
  | {
      readonly kind: 'range'
      readonly name: string
      readonly column: string
      readonly min?: number
      readonly max?: number
    }
  | {
      readonly kind: 'length'
      readonly name: string
      readonly column: string
      /** In bytes of UTF-8. */
      readonly bytesMax: number
    }

/** Restricts a rule to rows in which a text column has one of these values. */
export interface RuleCondition {
  readonly column: string
  readonly values: readonly LiteralValue[]
}

/** The column must not be null, in all rows or in those of a kind: `required('amount', { column: 'event_type', values: ['purchase'] })`. */
export function required(column: string, options: { when?: RuleCondition; name?: string } = {}): Rule {
  const name = options.name ?? `${column}-required`
  return Object.freeze({ kind: 'required', name, column, ...(options.when ? { when: options.when } : {}) })
}

/** The column's text must be one of these. */
export function oneOf(column: string, values: readonly string[], name: string = `${column}-one-of`): Rule {
  return Object.freeze({ kind: 'one-of', name, column, values: Object.freeze([...values]) })
}

/** The column's number must be within [min, max], in the column's own unit (money as `12.5`). */
export function range(column: string, limits: { min?: number; max?: number }, name: string = `${column}-range`): Rule {
  return Object.freeze({ kind: 'range', name, column, ...limits })
}

/** The column's text may have so many bytes of UTF-8 at most. */
export function lengthMax(column: string, bytesMax: number, name: string = `${column}-length`): Rule {
  return Object.freeze({ kind: 'length', name, column, bytesMax })
}
