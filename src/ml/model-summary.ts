import type { LearnerReport } from './learner.ts'
import type { ModelEvent } from './model-event.ts'
import type { ModelRole } from './step-model.ts'

/** A weight with its feature, and by what its numbers are scaled before they meet it. */
export interface NamedWeight {
  readonly name: string
  readonly weight: number
  /** Of a number that is scaled: its mean and standard deviation so far; absent for all else. */
  readonly mean?: number
  readonly deviation?: number
}

/** Features that a model could not take as they came. */
export interface FeatureCounts {
  /** Numbers that were infinite, and so absent, or too large, and so cut. */
  readonly extremeNumbers: number
  /** Features that were null, or numbers that are none, and so absent. */
  readonly absentFeatures: number
  /** Texts that came when their column had no slot of its own left for them, and so share one. */
  readonly sharedTexts: number
  /** Columns of numbers that have had one value only, so that nothing can be learned from them. */
  readonly constantNumbers: number
}

/** Rows that a model has not learned from, and features that it could not take as they came. */
export interface RowCounts extends FeatureCounts {
  /** Rows whose labels are not known yet. */
  readonly waiting: number
  /** Rows that the input ended for before their labels were known. */
  readonly unlabelled: number
  /** Rows that were predicted when as many waited as may wait. */
  readonly leftOut: number
}

/** How a model stands, as plain data for people and pages; a model of several classes has one for each. */
export interface ModelSummary extends RowCounts {
  /** Names it alone in a pipeline: that of its model, with its class behind a slash. */
  readonly name: string
  /** The name that the plan has for it. */
  readonly model: string
  /** A champion answers; challengers learn beside it. */
  readonly role: ModelRole
  /** The class that this is about, of a model of several; null for one of two. */
  readonly className: string | null
  /** How often something was learned: by rows, or by batches. */
  readonly version: number
  /** Versions that weights can go back to, oldest first. */
  readonly kept: readonly number[]
  /** The newest that have happened to it, oldest first; of a model of several classes to all of it. */
  readonly events: readonly ModelEvent[]
  /** Null before the first label was known. */
  readonly report: LearnerReport | null
  /** The largest ones, in the order of the features. */
  readonly weights: readonly NamedWeight[]
  /** Weights that are not among these. */
  readonly weightsLeftOut: number
  /** Constant of the log odds. */
  readonly intercept: number
  /** What is taken from the log odds, because classes were weighted or left out. */
  readonly excess: number
  /** Online calibration: probability = sigmoid(slope x log odds + shift). */
  readonly calibration: { readonly slope: number; readonly shift: number }
}
