import type { DictionaryColumn } from '../../batch/column.ts'
import type { Dictionary } from '../../batch/dictionary.ts'

/** Remembers the id of each code of the dictionary last seen, so that a known code costs one array look-up. */
export class CodeIds {
  #dictionary: Dictionary | undefined
  /** Id + 1 by code + 1; the first is that of null. */
  #idByCode = new Int32Array(64)

  /** Writes the ids of the selected rows by row; `learn` is asked once for each code that is new. */
  of(column: DictionaryColumn, rows: Int32Array, count: number, ids: Int32Array, learn: (row: number) => number): void {
    const { codes, dictionary } = column
    if (this.#dictionary !== dictionary) {
      this.#dictionary = dictionary
      this.#idByCode = new Int32Array(Math.max(64, dictionary.size + 1))
    }
    if (this.#idByCode.length <= dictionary.size) {
      const grown = new Int32Array((dictionary.size + 1) * 2)
      grown.set(this.#idByCode)
      this.#idByCode = grown
    }
    for (let from = 0; from < count; ) {
      from = gather(this.#idByCode, codes, rows, from, count, ids)
      if (from === count) return
      const row = rows[from] as number
      this.#idByCode[(codes[row] as number) + 1] = learn(row) + 1
    }
  }

  /** Ids have changed; -1 for one that is no more, whose code has to be learned again. */
  renumber(newIds: Int32Array): void {
    const ids = this.#idByCode
    for (let code = 0; code < ids.length; code++) {
      const id = ids[code] as number
      if (id > 0) ids[code] = (newIds[id - 1] as number) + 1
    }
  }
}

/** Goes on until a row has a code without id, and gives its index. */
function gather(
  idByCode: Int32Array,
  codes: Int32Array,
  rows: Int32Array,
  from: number,
  count: number,
  ids: Int32Array,
): number {
  for (let index = from; index < count; index++) {
    const row = rows[index] as number
    const id = idByCode[(codes[row] as number) + 1] as number
    if (id === 0) return index
    ids[row] = id - 1
  }
  return count
}
