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
  run(options: ChaosOptions): Promise<ChaosReport>
}
