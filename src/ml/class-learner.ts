import type { ByteReader, ByteWriter } from '../base/bytes.ts'
import { ClassModel } from './class-model.ts'
import type { FeatureSlots, FeatureVector } from './feature-vector.ts'
import { GuardedModel, NO_NUMBERS } from './guarded-model.ts'
import type { LearnerReport } from './learner.ts'
import { logLoss, Prequential } from './metrics/prequential.ts'
import type { SoftmaxSpec } from './model-spec.ts'

/**
 * A model of several classes that learns. What is said of a row are the probabilities of the classes, then their base rates. Each class is
 * judged for itself, against all others; who watches the weights looks at the loss over all classes.
 */
export class ClassLearner {
  readonly #classes: readonly string[]
  readonly #guarded: GuardedModel<ClassModel>
  readonly #prequentials: readonly Prequential[]
  readonly #now: Float64Array
  #outcomes = 0

  constructor(spec: SoftmaxSpec, slots: FeatureSlots, classes: readonly string[]) {
    this.#classes = classes
    this.#guarded = new GuardedModel(() => new ClassModel(spec, slots, classes), spec, slots.size * classes.length)
    this.#prequentials = classes.map(() => new Prequential(spec.metricsWindow))
    this.#now = new Float64Array(classes.length)
  }

  /** Who watches the weights, and can take them back. */
  get guarded(): GuardedModel<ClassModel> {
    return this.#guarded
  }

  /** Valid until the next step. */
  get model(): ClassModel {
    return this.#guarded.current
  }

  /** Fills `into` with what is said of a row that has come; weights that have become no numbers go back before they can answer. */
  tell(row: FeatureVector, into: Float64Array): void {
    this.model.tell(row, into)
    if (Number.isNaN(into[0])) {
      this.#guarded.rollBack(NO_NUMBERS)
      this.model.tell(row, into)
    }
    this.#guarded.watchScore(into[likeliest(into, this.#classes.length)] as number)
    for (const [index, { baseRate }] of this.#prequentials.entries()) into[this.#classes.length + index] = baseRate
  }

  /** The class of a row has become known; `told` is what was said of it. */
  settle(row: FeatureVector, told: Float64Array, outcome: number): void {
    const count = this.#classes.length
    const shares = this.#prequentials.map(({ baseRate }) => baseRate)
    const baseNow = (shares[outcome] as number) / shares.reduce((sum, share) => sum + share, 0)
    for (const [index, prequential] of this.#prequentials.entries()) {
      prequential.add(told[index] as number, told[count + index] as number, index === outcome)
    }
    this.#outcomes++
    this.model.learn(row, outcome, this.#now)
    const best = likeliest(this.#now, count)
    const right = best === outcome
    const loss = logLoss(this.#now[outcome] as number, true)
    this.#guarded.judge(loss, logLoss(baseNow, true), !right, this.#now[best] as number, right)
  }

  /** One for each class, in their order; undefined when no outcome has come since the reports before. */
  reports(): LearnerReport[] | undefined {
    if (this.#outcomes === 0) return undefined
    const reports = this.standing()
    this.#outcomes = 0
    return reports
  }

  /** How each class stands, whether or not an outcome has come since the reports before; none before the first. */
  standing(): LearnerReport[] {
    const { updates, weights } = this.model
    const counts = { ...this.#guarded.counts, skippedBatches: 0 }
    return this.#prequentials.flatMap((prequential, index) => {
      const metrics = prequential.metrics()
      const intercept = weights[index]?.at(-1) ?? 0
      return metrics ? [{ updates, outcomes: this.#outcomes, metrics, intercept, batch: null, counts }] : []
    })
  }

  write(writer: ByteWriter): void {
    this.#guarded.write(writer)
    for (const prequential of this.#prequentials) prequential.write(writer)
    writer.varint(this.#outcomes)
  }

  restore(reader: ByteReader): void {
    this.#guarded.restore(reader)
    for (const prequential of this.#prequentials) prequential.restore(reader)
    this.#outcomes = reader.varint()
  }
}

/** Index of the largest of the first `count` numbers; the first of those that are as large. */
export function likeliest(numbers: Float64Array, count: number): number {
  let best = 0
  for (let index = 1; index < count; index++) if ((numbers[index] as number) > (numbers[best] as number)) best = index
  return best
}
