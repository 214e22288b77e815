import type { AggregateState } from '../aggregates/aggregate.ts'
import { Pane } from './pane.ts'

/** Panes by their start. */
export class Panes {
  readonly #byStart = new Map<number, Pane>()
  readonly #newStates: () => AggregateState[]
  readonly #trackChanges: boolean

  constructor(newStates: () => AggregateState[], trackChanges: boolean) {
    this.#newStates = newStates
    this.#trackChanges = trackChanges
  }

  get size(): number {
    return this.#byStart.size
  }

  /** Groups of all panes together. */
  get groups(): number {
    let groups = 0
    for (const pane of this.#byStart.values()) groups += pane.size
    return groups
  }

  has(startMs: number): boolean {
    return this.#byStart.has(startMs)
  }

  /** The pane that begins there, made when there is none. */
  at(startMs: number): Pane {
    let pane = this.#byStart.get(startMs)
    if (!pane) {
      pane = new Pane(startMs, this.#newStates(), this.#trackChanges)
      this.#byStart.set(startMs, pane)
    }
    return pane
  }

  /** Takes in a pane that begins where none does yet. */
  put(pane: Pane): void {
    this.#byStart.set(pane.startMs, pane)
  }

  delete(pane: Pane): void {
    this.#byStart.delete(pane.startMs)
  }

  all(): Iterable<Pane> {
    return this.#byStart.values()
  }

  /** Oldest first. */
  sorted(): Pane[] {
    return [...this.#byStart.values()].sort((left, right) => left.startMs - right.startMs)
  }
}
