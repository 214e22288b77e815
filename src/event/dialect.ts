import type { FieldSpecs, TypedSchema } from '../batch/schema.ts'
import type { Rule } from '../plan/rule.ts'

/**
 * How the events of one source system become canonical columns. It is a schema in which members have other names, which costs
 * the decoder nothing, and the rules for the values that this system writes. Every dialect has every column of the
 * canonical event, null where its events say nothing, so a query that is written for one runs on all.
 */
export interface Dialect<F extends FieldSpecs = FieldSpecs> {
  readonly name: string
  /** One line for lists: what the system does with its events. */
  readonly description: string
  readonly schema: TypedSchema<F>
  readonly rules: readonly Rule[]
}
