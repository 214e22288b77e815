import type { Batch } from '../batch/batch.ts'
import type { Field } from '../batch/schema.ts'
import type { Expression } from '../plan/expression.ts'
import { ExpressionCompiler } from './expression/compiler.ts'

export { units } from './expression/number-form.ts'
export { TRUE } from './expression/vector.ts'

/** Truth of a predicate per row: 0 false, 1 true, 255 null. Valid until the predicate is evaluated again. */
export type Truths = Uint8Array

/** A compiled predicate: the truth of every row of a batch. */
export type Predicate = (batch: Batch) => Truths

/** Compiles a checked condition; `fields` are the columns of the batches it will see. */
export function compilePredicate(node: Expression, fields: readonly Field[]): Predicate {
  return new ExpressionCompiler(fields).truths(node)
}
