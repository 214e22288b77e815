import type { Field } from '../batch/schema.ts'
import { TakenNames } from './plan-problem.ts'

/**
 * The columns that rows have at a step, while steps are checked one by one. A column whose type cannot be told, since its
 * expression is wrong, is known by name only, so that one mistake is reported once.
 */
export class KnownColumns {
  readonly fields: Field[]
  readonly untold: Set<string> = new Set()
  readonly #names: TakenNames

  constructor(fields: readonly Field[]) {
    this.fields = [...fields]
    this.#names = new TakenNames(fields.map(({ name }) => name))
  }

  /** False when there is such a column already. */
  add(name: string, type: Omit<Field, 'name'> | undefined): boolean {
    if (!this.#names.take(name)) return false
    if (type === undefined) this.untold.add(name)
    else this.fields.push({ ...type, name })
    return true
  }

  find(name: string): Field | undefined {
    return this.fields.find((field) => field.name === name)
  }
}
