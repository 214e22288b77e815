import { encodeText } from '../../base/bytes.ts'
import type { Column } from '../../batch/column.ts'
import { textOf } from './feature-reader.ts'

/** Tells the class of each row: the index of the class that a text column holds, -1 for a null and for any other text. */
export class RowClasses {
  readonly #columnIndex: number
  readonly #classes: readonly Uint8Array[]

  constructor(columnIndex: number, classes: readonly string[]) {
    this.#columnIndex = columnIndex
    this.#classes = classes.map(encodeText)
  }

  /** By row; texts of a dictionary are compared once. */
  of({ columns, rowCount }: { readonly columns: readonly Column[]; readonly rowCount: number }): Int32Array {
    const column = columns[this.#columnIndex] as Column
    const found = new Int32Array(rowCount)
    const known = new Map<number, number>()
    for (let row = 0; row < rowCount; row++) {
      const code = column.kind === 'dictionary' ? (column.codes[row] as number) : -1
      const before = code < 0 ? undefined : known.get(code)
      const index = before ?? this.#index(textOf(column, row))
      if (code >= 0) known.set(code, index)
      found[row] = index
    }
    return found
  }

  #index(bytes: Uint8Array | undefined): number {
    return bytes === undefined ? -1 : this.#classes.findIndex((one) => sameBytes(one, bytes))
  }
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index])
}
