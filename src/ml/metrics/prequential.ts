import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { BatchMeans } from './batch-means.ts'
import { type CalibrationBin, calibrationBins, calibrationError } from './calibration.ts'
import { ascending, rankingOf } from './ranking.ts'

/** How good the predictions of the last outcomes were; each was made before its outcome was learned. */
export interface Metrics {
  /** Outcomes that this is about. */
  readonly outcomes: number
  readonly positives: number
  /** Share of positives among them. */
  readonly baseRate: number
  /** Mean log loss in nats. */
  readonly logLoss: number
  /** That of answering with the share of positives among all outcomes that were known at the prediction. */
  readonly baseLogLoss: number
  /** 1 - logLoss / baseLogLoss: above 0 the model knows more than the base rate, below 0 less. */
  readonly skill: number
  /** The true skill is within `skill` plus or minus this, 19 times of 20; null for too few outcomes to tell. */
  readonly skillMargin: number | null
  /** Null when all outcomes were alike. */
  readonly auc: number | null
  readonly brier: number
  /** Expected calibration error over ten bins of probability. */
  readonly ece: number
  /** What was said beside what came, from the least likely to the likeliest. */
  readonly calibration: readonly CalibrationBin[]
  readonly accuracy: number
  /** Accuracy of always giving the commoner answer: what `accuracy` has to beat. */
  readonly majorityAccuracy: number
  /** Share of positives among the tenth with the highest probabilities. */
  readonly precisionAtTop: number
  /** That share in multiples of the base rate; null without a positive. */
  readonly lift: number | null
}

/** Share of the outcomes that `precisionAtTop` looks at. */
const TOP_SHARE = 0.1
/** A probability is cut to this distance from 0 and 1 before its logarithm is drawn, as in River. */
const PROBABILITY_MIN = 1e-15

/**
 * Test, then train: A. P. Dawid, "The Prequential Approach" (1984). Keeps the last outcomes with what was predicted for them. Calibration:
 * M. P. Naeini et al. (2015).
 */
export class Prequential {
  readonly #windowMax: number
  /** Rings; the outcome with number n is at n % windowMax. */
  readonly #probabilities: Float64Array
  readonly #baseRates: Float64Array
  readonly #labels: Uint8Array
  #seen = 0
  #positivesSeen = 0

  constructor(windowMax: number) {
    this.#windowMax = windowMax
    this.#probabilities = new Float64Array(windowMax)
    this.#baseRates = new Float64Array(windowMax)
    this.#labels = new Uint8Array(windowMax)
  }

  /** Share of positives so far. One positive and one negative are taken as seen, so that the first outcome does not cost infinity. */
  get baseRate(): number {
    return (this.#positivesSeen + 1) / (this.#seen + 2)
  }

  /** Takes in an outcome with what was predicted, and what the base rate was then. */
  add(probability: number, baseRate: number, label: boolean): void {
    const place = this.#seen % this.#windowMax
    this.#probabilities[place] = probability
    this.#baseRates[place] = baseRate
    this.#labels[place] = label ? 1 : 0
    this.#seen++
    if (label) this.#positivesSeen++
  }

  /** Undefined before the first outcome. */
  metrics(): Metrics | undefined {
    const outcomes = Math.min(this.#seen, this.#windowMax)
    if (outcomes === 0) return undefined
    const probabilities = this.#probabilities.subarray(0, outcomes)
    const labels = this.#labels.subarray(0, outcomes)
    const sums = sumsOf(probabilities, labels)
    const baseRate = sums.positives / outcomes
    const gains = new BatchMeans(outcomes)
    // The oldest outcome comes first: neighbours in time are alike, and have to be in one batch.
    const oldest = this.#seen > this.#windowMax ? this.#seen % this.#windowMax : 0
    let baseLosses = 0
    for (let index = 0; index < outcomes; index++) {
      const place = (oldest + index) % outcomes
      const label = labels[place] === 1
      const baseLoss = logLoss(this.#baseRates[place] as number, label)
      baseLosses += baseLoss
      gains.add(baseLoss - logLoss(probabilities[place] as number, label))
    }
    const [meanLoss, baseLogLoss] = [sums.logLoss / outcomes, baseLosses / outcomes]
    const margin = gains.margin()
    const order = ascending(probabilities)
    const top = Math.max(1, Math.round(outcomes * TOP_SHARE))
    const { auc, precisionAtTop } = rankingOf(probabilities, labels, top, order)
    return {
      outcomes,
      positives: sums.positives,
      baseRate,
      logLoss: meanLoss,
      baseLogLoss,
      skill: 1 - meanLoss / baseLogLoss,
      skillMargin: margin === null ? null : margin / baseLogLoss,
      auc: sums.positives === 0 || sums.positives === outcomes ? null : auc,
      brier: sums.brier / outcomes,
      ece: calibrationError(probabilities, labels),
      calibration: calibrationBins(probabilities, labels, order),
      accuracy: sums.hits / outcomes,
      majorityAccuracy: Math.max(baseRate, 1 - baseRate),
      precisionAtTop,
      lift: sums.positives === 0 ? null : precisionAtTop / baseRate,
    }
  }

  write(writer: ByteWriter): void {
    writer.varint(this.#seen)
    writer.varint(this.#positivesSeen)
    for (let place = 0; place < Math.min(this.#seen, this.#windowMax); place++) {
      writer.f64(this.#probabilities[place] as number)
      writer.f64(this.#baseRates[place] as number)
      writer.u8(this.#labels[place] as number)
    }
  }

  restore(reader: ByteReader): void {
    this.#seen = reader.varint()
    this.#positivesSeen = reader.varint()
    for (let place = 0; place < Math.min(this.#seen, this.#windowMax); place++) {
      this.#probabilities[place] = reader.f64()
      this.#baseRates[place] = reader.f64()
      this.#labels[place] = reader.u8() & 1
    }
  }
}

/** What a prediction cost, in nats. */
export function logLoss(probability: number, label: boolean): number {
  const inside = Math.min(Math.max(probability, PROBABILITY_MIN), 1 - PROBABILITY_MIN)
  return -Math.log(label ? inside : 1 - inside)
}

function sumsOf(
  probabilities: Float64Array,
  labels: Uint8Array,
): { readonly positives: number; readonly logLoss: number; readonly brier: number; readonly hits: number } {
  let [positives, loss, brier, hits] = [0, 0, 0, 0]
  for (const [index, probability] of probabilities.entries()) {
    const label = labels[index] === 1
    if (label) positives++
    loss += logLoss(probability, label)
    brier += (probability - (label ? 1 : 0)) ** 2
    if (probability > 0.5 === label) hits++
  }
  return { positives, logLoss: loss, brier, hits }
}
