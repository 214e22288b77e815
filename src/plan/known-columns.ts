import type { Field } from '../batch/schema.ts'
import { TakenNames } from './plan-problem.ts'

/**
 * The columns that rows have at a step, while steps are checked one by one. A column whose type cannot be told, since its
 * expression is wrong, is known by name only, so that one mistake is reported once.
 */
export class KnownColumns {
  readonly fields: Field[]
  readonly untold: Set<string> = new Set()
  #names: TakenNames

  constructor(fields: readonly Field[]) {
    this.fields = [...fields]
    this.#names = new TakenNames(fields.map(({ name }) => name))
  }

  /** False when there is such a column already. Without a type, the column is known by name only. */
  add(name: string, type: Omit<Field, 'name'> | undefined): boolean {
    const free = this.#names.take(name)
    if (free && type !== undefined) this.fields.push({ ...type, name })
    else this.untold.add(name)
    return free
  }

  /** Rows become others, with these columns. */
  replace(fields: readonly Field[]): void {
    this.fields.splice(0, this.fields.length, ...fields)
    this.untold.clear()
    this.#names = new TakenNames(fields.map(({ name }) => name))
  }

  find(name: string): Field | undefined {
    return this.fields.find((field) => field.name === name)
  }
}
