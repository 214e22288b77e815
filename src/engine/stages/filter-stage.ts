import { type Predicate, TRUE } from '../predicate.ts'
import { roomFor, type Stage, type StageInput } from './stage.ts'

/** Hands on the rows for which a predicate is true. */
export class FilterStage implements Stage {
  readonly #predicate: Predicate
  readonly #next: readonly Stage[]
  #kept = new Int32Array(1024)

  constructor(predicate: Predicate, next: readonly Stage[]) {
    this.#predicate = predicate
    this.#next = next
  }

  process(input: StageInput): void {
    this.#kept = roomFor(this.#kept, input.count)
    const count = keepTrue(this.#predicate(input.batch), input.rows, input.count, this.#kept)
    if (count === 0) return
    const kept = { ...input, rows: this.#kept, count }
    for (const stage of this.#next) stage.process(kept)
  }
}

function keepTrue(truths: Uint8Array, rows: Int32Array, count: number, into: Int32Array): number {
  let kept = 0
  for (let index = 0; index < count; index++) {
    const row = rows[index] as number
    if (truths[row] === TRUE) into[kept++] = row
  }
  return kept
}
