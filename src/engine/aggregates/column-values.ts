import { ValueIds } from '../keys/value-ids.ts'

/** Values are kept at least up to this many before those that nobody holds are let go of. */
const FORGET_MIN = 262_144

/** The values of one column as ids, for all states of an aggregate. */
export class ColumnValues {
  readonly ids: ValueIds
  /** Ids of the rows of the current batch, negative for null. */
  byRow: Int32Array = new Int32Array(0)
  #sizeAfterForgetting = 0

  constructor(columnIndex: number, seed: number) {
    this.ids = new ValueIds([columnIndex], seed)
  }

  begin(...[batch, rows, count]: Parameters<ValueIds['of']>): void {
    this.byRow = this.ids.nonNull(batch, rows, count)
  }

  /**
   * Starts the table over with the values that are still held, when it has grown to twice what was left the last time. `renumber` is
   * called with what gives each held value its new id; true when that has happened.
   */
  forget(renumber: (newId: (id: number) => number) => void): boolean {
    if (this.ids.interner.size < 2 * this.#sizeAfterForgetting + FORGET_MIN) return false
    this.ids.forget(renumber)
    this.#sizeAfterForgetting = this.ids.interner.size
    return true
  }
}
