import type { Field, FieldType } from '../batch/schema.ts'
import { nameHint } from './nearest-name.ts'

/** One thing that is wrong with a plan. */
export interface PlanProblem {
  /** Where, such as `queries.page_views.aggregates.users`. */
  readonly path: string
  /** What is wrong, with the value; begins in lower case. */
  readonly message: string
  /** What to do about it. */
  readonly hint: string
}

/** The problem with a column that the schema does not have; names the one that was probably meant. */
export function unknownColumn(path: string, name: string, fields: readonly Field[]): PlanProblem {
  const names = fields.map((field) => field.name)
  return { path, message: `there is no column "${shown(name)}"`, hint: nameHint(name, names) }
}

/** The problem with a column of a type that cannot be used here; names the columns that can. */
export function wrongType(
  path: string,
  message: string,
  types: readonly FieldType[],
  fields: readonly Field[],
): PlanProblem {
  const names = fields.filter((field) => types.includes(field.type)).map((field) => field.name)
  const which = names.length === 0 ? 'this schema has none' : `here: ${names.slice(0, 20).join(', ')}`
  return { path, message, hint: `it takes a column of type ${types.join(', ')}; ${which}` }
}

/** The problem with a text that is no name. */
export function badName(path: string, name: string): PlanProblem {
  return {
    path,
    message: `"${shown(name)}" is not a name`,
    hint: 'use a letter or underscore first, then letters, digits and underscores, 63 characters at most',
  }
}

/** The problem with a name that another thing of the kind has already. */
export function nameTaken(path: string, what: string, name: string): PlanProblem {
  return { path, message: `there is another ${what} "${shown(name)}"`, hint: `give each ${what} a name of its own` }
}

/** A text that may come from anywhere, short enough for a message and without line breaks. */
export function shown(text: string): string {
  const line = text.replace(/[\u0000-\u001f\u007f]/g, ' ')
  return line.length <= 80 ? line : `${line.slice(0, 77)}...`
}

/**
 * Names that were given so far. Case does not tell names apart: it does not in SQL, nor in the file systems of two
 * large operating systems.
 */
export class TakenNames {
  readonly #names: Set<string>

  constructor(names: Iterable<string> = []) {
    this.#names = new Set(names)
  }

  /** False when the name was taken already. */
  take(name: string): boolean {
    const key = name.toLowerCase()
    const free = !this.#names.has(key)
    this.#names.add(key)
    return free
  }
}
