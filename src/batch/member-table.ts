import { encodeText } from '../base/bytes.ts'
import { type FieldColumn, ValueKind } from './field-column.ts'
import { InternedDictionary } from './interned-dictionary.ts'

/** A member that no field reads: part of the rest, when there is a column for it. */
export const UNKNOWN_MEMBER = -1
/** A member of the schema that is not selected. */
export const SKIPPED_MEMBER = -2

/** Names beyond the schema's own that are kept; events can hold any number of names. */
const LEARNED_MAX = 250

/** The names of members, and which field reads each. Names of the input are kept up to a limit, so that each has a number. */
export class MemberTable {
  readonly #names: InternedDictionary
  readonly #learnedEnd: number
  /** For each name's code: index of its field, or one of the constants above. */
  readonly #fields: number[] = []

  constructor(columns: readonly FieldColumn[], knownMembers: ReadonlySet<string>, hashSeed: number) {
    this.#names = new InternedDictionary(hashSeed)
    let restName: string | undefined
    for (const { field, index, kind } of columns) {
      if (kind === ValueKind.rest) restName = field.from ?? field.name
      else this.#add(field.from ?? field.name, index)
    }
    // A member that is called like the column of the rest is read by nobody, so it belongs there too.
    for (const name of knownMembers) if (name !== restName) this.#add(name, SKIPPED_MEMBER)
    this.#learnedEnd = this.#names.size + LEARNED_MAX
  }

  /** Code of a name, or -1 when it has none and there is no room. See `InternedDictionary.internAt` for what must be readable. */
  code(view: DataView, start: number, length: number): number {
    if (this.#names.size < this.#learnedEnd) return this.#names.internAt(view, start, length)
    return this.#names.findAt(view, start, length)
  }

  /** Index of the field that reads the member, or one of the constants above. */
  field(code: number): number {
    return code < 0 || code >= this.#fields.length ? UNKNOWN_MEMBER : this.#fields[code]
  }

  #add(name: string, field: number): void {
    const bytes = encodeText(name)
    if (this.#names.intern(bytes, 0, bytes.length) === this.#fields.length) this.#fields.push(field)
  }
}
