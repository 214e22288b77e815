import { sigmoid } from './logistic-regression.ts'
import type { ModelSummary, NamedWeight } from './model-summary.ts'

/** Values by name: numbers, or texts. */
export type NamedFeatures = Readonly<Record<string, string>>

/** A prediction with what it is made of. */
export interface ToldPrediction {
  readonly model: string
  readonly version: number
  readonly probability: number
  /** The sum of the contributions and the intercept. */
  readonly logOdds: number
  readonly intercept: number
  /** The largest first. */
  readonly contributions: readonly { readonly feature: string; readonly value: string; readonly logOdds: number }[]
  /** Features of the model that were not given: as if they were null. */
  readonly missing: readonly string[]
  /** Features that the model does not know, or has no weight for yet. */
  readonly unknown: readonly string[]
}

/** The probabilities of classes, each with what it is made of; the likeliest first. */
export interface ToldClasses {
  readonly model: string
  readonly version: number
  readonly prediction: string
  readonly classes: readonly (ToldPrediction & { readonly className: string })[]
}

/** What a model of several classes says to these features, by the summaries of its classes. */
export function toldClasses(summaries: readonly ModelSummary[], features: NamedFeatures): ToldClasses {
  const told = summaries.map((one) => ({ ...toldPrediction(one, features), className: one.className ?? '' }))
  const largest = Math.max(...told.map(({ logOdds }) => logOdds))
  const powers = told.map(({ logOdds }) => Math.exp(logOdds - largest))
  const sum = powers.reduce((total, power) => total + power, 0)
  const classes = told
    .map((one, index) => ({ ...one, probability: (powers[index] as number) / sum }))
    .sort((left, right) => right.probability - left.probability)
  const { model = '', version = 0 } = summaries[0] ?? {}
  return { model, version, prediction: classes[0]?.className ?? '', classes }
}

/** What a model says to these features, and why: a linear model is the sum of its parts. */
export function toldPrediction(summary: ModelSummary, features: NamedFeatures): ToldPrediction {
  const contributions: { feature: string; value: string; logOdds: number }[] = []
  const unknown: string[] = []
  for (const [feature, value] of Object.entries(features)) {
    const logOdds = contribution(summary.weights, feature, value)
    if (logOdds === undefined) unknown.push(feature)
    else contributions.push({ feature, value, logOdds })
  }
  contributions.sort((left, right) => Math.abs(right.logOdds) - Math.abs(left.logOdds))
  const logOdds = contributions.reduce((sum, one) => sum + one.logOdds, summary.intercept)
  const { slope, shift } = summary.calibration
  return {
    model: summary.name,
    version: summary.version,
    probability: sigmoid(slope * (logOdds - summary.excess) + shift),
    logOdds,
    intercept: summary.intercept,
    contributions,
    missing: featureNames(summary.weights).filter((name) => !Object.hasOwn(features, name)),
    unknown,
  }
}

/** Undefined when there is no such feature, or none for this text yet. */
function contribution(weights: readonly NamedWeight[], feature: string, value: string): number | undefined {
  const found = weights.find(({ name }) => name === feature)
  if (!found) {
    const ofText = weights.find(({ name }) => name === `${feature}=${value}`)
    return (ofText ?? weights.find(({ name }) => name === `${feature}=(others)`))?.weight
  }
  const number = value.trim() === '' ? Number.NaN : Number(value)
  if (!Number.isFinite(number)) return undefined
  const { weight, mean, deviation } = found
  if (mean === undefined || deviation === undefined) return weight * number
  return deviation > 0 ? (weight * (number - mean)) / deviation : 0
}

function featureNames(weights: readonly NamedWeight[]): string[] {
  return [...new Set(weights.map(({ name }) => name.replace(/[=#].*$/s, '')))]
}
