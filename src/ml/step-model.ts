import type { ByteReader, ByteWriter } from '../base/bytes.ts'
import type { FeatureVector } from './feature-vector.ts'
import type { LearnerReport } from './learner.ts'
import type { ModelCommand, PartEvent } from './model-event.ts'

/** What a step that predicts drives, whatever it is made of. */
export interface StepModel {
  /** Numbers that are said of each row. The first ones are what people are told: a probability, or one for each class. */
  readonly toldSize: number
  /** How often something was learned by what answers. */
  readonly version: number
  /** Fills `into` with what is said of a row. */
  tell(row: FeatureVector, into: Float64Array): void
  /** The outcome of a row has become known: 0 or 1, or its class. `told` is what was said of it. */
  settle(row: FeatureVector, told: Float64Array, outcome: number): void
  /** The epoch is over. */
  endBatch(): void
  /** Brings the reports of the parts up to date; false when there is nothing new. */
  report(): boolean
  /** Whatever has weights of its own. */
  parts(): readonly ModelPart[]
  /** Models that can go on elsewhere: what `begin` takes. Of one of several classes all of them together. */
  exports(): readonly ExportedModel[]
  /** The weights, scaler and optimizer of an export in place of fresh ones; before the first row. */
  begin(state: ByteReader): void
  /** What has happened since the last call. */
  takeEvents(): PartEvent[]
  /** Between epochs only; what cannot be followed is an event. */
  obey(command: ModelCommand): void
  /** Between epochs only. */
  write(writer: ByteWriter): void
  restore(reader: ByteReader): void
}

/** Weights with what they have come to: of one model among several, of one class among several. */
export interface ModelPart {
  /** The model's name; of a challenger with its own behind a slash. */
  readonly name: string
  readonly role: ModelRole
  /** Null for a model of two classes. */
  readonly className: string | null
  readonly version: number
  /** Versions that weights can go back to, oldest first. */
  readonly kept: readonly number[]
  /** Slots of features come first. */
  readonly weights: Float64Array
  readonly intercept: number
  /** What turns log odds of the weights into the probability. */
  readonly link: { readonly excess: number; readonly slope: number; readonly shift: number }
  moments(slot: number): { readonly mean: number; readonly deviation: number } | undefined
  /** The newest; null before the first outcome. */
  readonly report: LearnerReport | null
}

/** A model on its way out. */
export interface ExportedModel {
  readonly name: string
  readonly role: ModelRole
  readonly version: number
  /** Its parts, as people and other programs need them: one, or one for each class. */
  readonly parts: readonly ModelPart[]
  /** Weights, scaler and optimizer. */
  write(writer: ByteWriter): void
}

/** A champion answers; challengers learn beside it. */
export type ModelRole = 'champion' | 'challenger'
