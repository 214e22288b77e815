import type { Batch } from '../../batch/batch.ts'
import { type Field, fieldIndex } from '../../batch/schema.ts'
import type { LabelSpec } from '../../plan/node.ts'
import { compilePredicate, TRUE } from '../predicate.ts'
import { RowClasses } from './row-classes.ts'

/** What each row is to others, or to itself: 1 or 0, or the index of its class and -1 for none. */
export class RowLabels {
  readonly #of: (batch: Batch) => Int32Array

  constructor(label: LabelSpec, fields: readonly Field[]) {
    if (label.kind === 'next') {
      const classes = new RowClasses(fieldIndex({ fields }, label.column), label.classes)
      this.#of = (batch) => classes.of(batch)
    } else {
      const isTrue = compilePredicate(label.when, fields)
      this.#of = (batch) => ones(isTrue(batch))
    }
  }

  /** By row; valid until the next call. */
  of(batch: Batch): Int32Array {
    return this.#of(batch)
  }
}

function ones(truths: Uint8Array): Int32Array {
  const found = new Int32Array(truths.length)
  for (let row = 0; row < truths.length; row++) if (truths[row] === TRUE) found[row] = 1
  return found
}
