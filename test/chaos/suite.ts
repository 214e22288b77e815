/** How long and how hard a chaos suite is run. */
export interface ChaosOptions {
  readonly count: number
  readonly seed: number
  /** Which parts of a suite that has named ones, as a regular expression. */
  readonly name: string
  /** No new round begins after so long, ms. */
  readonly budgetMs: number
  /** Says how far it is. */
  readonly say: (text: string) => void
}

/** What a suite found: counts by name. Every count in `mustBeZero` fails the run when it is not. */
export interface ChaosReport {
  readonly counts: Readonly<Record<string, number>>
  readonly mustBeZero: readonly string[]
  /** What was wrong, in words. */
  readonly problems: readonly string[]
}

/** A way of making a job's life hard, with a judgement of what is left. */
export interface ChaosSuite {
  readonly summary: string
  /** Which of its counts `--count` is about. */
  readonly counted: string
  run(options: ChaosOptions): Promise<ChaosReport>
}

/** The rounds of a run, dealt out one by one, to whoever asks first: until all are done, time is up, or something was wrong. */
export class Rounds {
  readonly problems: string[] = []
  readonly #count: number
  readonly #deadlineMs: number
  #dealt = 0

  constructor(count: number, budgetMs: number) {
    this.#count = count
    this.#deadlineMs = performance.now() + budgetMs
  }

  /** Number of the next round, from 0 on; undefined after the last. */
  next(): number | undefined {
    const over = this.#dealt >= this.#count || performance.now() > this.#deadlineMs || this.problems.length > 0
    return over ? undefined : this.#dealt++
  }
}
