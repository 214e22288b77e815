import { FIELD_NAME, type FieldType } from '../batch/schema.ts'
import { type DriftOptions, watchesErrors } from '../ml/drift/index.ts'
import type { LearningRateOptions } from '../ml/learning-rate.ts'
import type { LogisticSpec, ModelSpec } from '../ml/model-spec.ts'
import type { OptimizerOptions } from '../ml/optimizer.ts'
import { checkColumnType, KEY_TYPES } from './check-aggregate.ts'
import { checkDuration } from './check-duration.ts'
import { checkPredicate } from './check-expression.ts'
import { NUMERIC_TYPES } from './check-source.ts'
import type { KnownColumns } from './known-columns.ts'
import { classColumn, predictionFields, TEXT_VALUES_MAX } from './model-fields.ts'
import { type ContestSpec, type ModelFeature, type NextLabelSpec, NO_CLASS, type PredictNode } from './node.ts'
import { badName, nameTaken, type PlanProblem, shown, TakenNames } from './plan-problem.ts'

const FEATURES_MAX = 128
const CLASSES_MAX = 32
const CHALLENGERS_MAX = 8
/** A full fit solves a system of so many equations in each round. */
const FIT_WEIGHTS_MAX = 512
const BUCKETS_MAX = 2 ** 22
const VALUES_MAX = 2 ** 16
const WAITING_MAX = 10_000_000
const WINDOW_MAX = 1_000_000

const TEXT_TYPES: readonly FieldType[] = ['string']
const FEATURE_TYPES: readonly FieldType[] = [...NUMERIC_TYPES, 'boolean', ...TEXT_TYPES]

/** Everything wrong with a model and what it is told; the columns that it adds are then known. */
export function checkPredict(node: PredictNode, columns: KnownColumns, path: string): PlanProblem[] {
  const { label, features, model } = node
  const problems = checkColumnType(node.by, `rows about a "${shown(node.by)}"`, KEY_TYPES, columns, `${path}.by`)
  if (!FIELD_NAME.test(node.name)) problems.push(badName(`${path}.name`, node.name))
  if (label.kind === 'next') problems.push(...checkClasses(label, columns, `${path}.label`))
  else problems.push(...checkPredicate(label.when, columns, `${path}.label`))
  if (label.kind !== 'itself') problems.push(...checkDuration(label.withinMs, 1, 'within', `${path}.label`))
  if (node.rows) problems.push(...checkPredicate(node.rows, columns, `${path}.rows`))
  if (features.length < 1 || features.length > FEATURES_MAX) {
    const message = `predict() from ${features.length} features`
    problems.push({ path: `${path}.features`, message, hint: `give 1 to ${FEATURES_MAX}` })
  }
  const names = new TakenNames()
  for (const feature of features) {
    const at = `${path}.features.${shown(feature.column)}`
    problems.push(...checkFeature(feature, columns, at))
    if (!names.take(feature.column)) problems.push(nameTaken(at, 'feature', feature.column))
  }
  problems.push(...wholeInRange(node.waitingMax, 1, WAITING_MAX, 'waitingMax', path))
  problems.push(...checkModel(model, `${path}.model`))
  if (node.contest) problems.push(...checkContest(node.contest, model, `${path}.challengers`))
  if ((label.kind === 'next') !== (model.kind === 'softmax')) {
    const message = `${model.kind} regression for a label that ${label.kind === 'next' ? 'has classes' : 'is true or false'}`
    const hint = label.kind === 'next' ? 'use softmaxRegression()' : 'use logisticRegression()'
    problems.push({ path: `${path}.model`, message, hint })
  }
  if (model.kind === 'logistic' && model.learning === 'compat' && weightsMax(features, columns) > FIT_WEIGHTS_MAX) {
    const message = `a full fit of up to ${weightsMax(features, columns)} weights`
    problems.push({ path: `${path}.model`, message, hint: `keep to ${FIT_WEIGHTS_MAX}, or learn 'each' or 'batch'` })
  }
  if (model.kind === 'logistic' && model.learning !== 'each' && model.fromBaseRate) {
    const message = 'fromBaseRate with a model that learns by batches'
    problems.push({ path: `${path}.model`, message, hint: "leave it out, or learn 'each'" })
  }
  for (const { name, ...type } of predictionFields(label)) {
    if (!columns.add(name, type)) problems.push(nameTaken(path, 'column', name))
  }
  return problems
}

function checkClasses({ column, classes }: NextLabelSpec, columns: KnownColumns, path: string): PlanProblem[] {
  const problems = checkColumnType(column, `a class "${shown(column)}"`, TEXT_TYPES, columns, `${path}.column`)
  if (classes.length < 1 || classes.length > CLASSES_MAX) {
    problems.push({ path, message: `${classes.length} classes`, hint: `name 1 to ${CLASSES_MAX}` })
  }
  const names = new TakenNames()
  names.take(NO_CLASS)
  for (const name of classes) {
    if (!FIELD_NAME.test(classColumn(name))) problems.push(badName(`${path}.classes`, name))
    else if (!names.take(name)) problems.push(nameTaken(`${path}.classes`, 'class', name))
  }
  return problems
}

function checkContest({ challengers, promoteAfter }: ContestSpec, champion: ModelSpec, path: string): PlanProblem[] {
  const problems = wholeInRange(promoteAfter ?? 10, 10, WINDOW_MAX, 'promoteAfter', path)
  if (champion.kind === 'softmax') {
    problems.push({
      path,
      message: 'challengers of a model of several classes',
      hint: 'give each model a query of its own',
    })
  }
  if (challengers.length < 1 || challengers.length > CHALLENGERS_MAX) {
    problems.push({ path, message: `${challengers.length} challengers`, hint: `give 1 to ${CHALLENGERS_MAX}` })
  }
  const names = new TakenNames()
  for (const { name, model } of challengers) {
    if (!FIELD_NAME.test(name)) problems.push(badName(path, name))
    else if (!names.take(name)) problems.push(nameTaken(path, 'challenger', name))
    problems.push(...checkModel(model, `${path}.${shown(name)}`))
    if (model.learning === 'compat' || (model.learning === 'batch' && model.fromBaseRate)) {
      const message = `a challenger that learns '${model.learning}'${model.fromBaseRate ? ' from the base rate' : ''}`
      problems.push({ path: `${path}.${shown(name)}`, message, hint: "let it learn 'each'" })
    }
  }
  return problems
}

function checkFeature(feature: ModelFeature, columns: KnownColumns, path: string): PlanProblem[] {
  const what = `a feature "${shown(feature.column)}"`
  const types = feature.kind === 'column' ? FEATURE_TYPES : TEXT_TYPES
  const problems = checkColumnType(feature.column, what, types, columns, path)
  if (feature.kind === 'one-hot') {
    problems.push(...wholeInRange(feature.valuesMax, 2, VALUES_MAX, 'valuesMax', path))
  }
  if (feature.kind === 'hashed' && !(Number.isInteger(Math.log2(feature.buckets)) && feature.buckets <= BUCKETS_MAX)) {
    const hint = `use a power of two up to ${BUCKETS_MAX}`
    problems.push({ path, message: `buckets is ${feature.buckets}`, hint })
  }
  return problems
}

/** Weights that a model may come to have. */
function weightsMax(features: readonly ModelFeature[], columns: KnownColumns): number {
  return features.reduce((sum, feature) => {
    if (feature.kind === 'hashed') return sum + feature.buckets
    if (feature.kind === 'one-hot') return sum + feature.valuesMax
    return sum + (TEXT_TYPES.includes(columns.find(feature.column)?.type ?? 'int32') ? TEXT_VALUES_MAX : 1)
  }, 0)
}

function checkModel(model: ModelSpec, path: string): PlanProblem[] {
  return [
    ...checkOptimizer(model.optimizer, `${path}.optimizer`),
    ...inRange(model.l2, 0, 1e6, 'l2', path),
    ...(model.kind === 'logistic' ? checkLogistic(model, path) : []),
    ...wholeInRange(model.metricsWindow, 10, WINDOW_MAX, 'metricsWindow', path),
    ...wholeInRange(model.guardOutcomes ?? 10, 10, WINDOW_MAX, 'guardOutcomes', path),
    ...inRange(model.calibrationBound ?? 1, 0, 1, 'calibrationBound', path),
    ...checkDrift(model.drift, `${path}.drift`),
    ...checkDrift(model.scoreDrift, `${path}.scoreDrift`),
    ...checkScoreDrift(model.scoreDrift, `${path}.scoreDrift`),
  ]
}

function checkLogistic(model: LogisticSpec, path: string): PlanProblem[] {
  return [
    ...checkRate(model.interceptRate, 0, `${path}.interceptRate`),
    ...inRange(model.weightPos, 1e-6, 1e6, 'class weight of positives', path),
    ...inRange(model.weightNeg, 1e-6, 1e6, 'class weight of negatives', path),
    ...inRange(model.keepNegatives, 1e-6, 1, 'keepNegatives', path),
    ...inRange(model.plattRate ?? 1, 1e-9, 1e3, 'calibration', path),
  ]
}

function checkOptimizer(optimizer: OptimizerOptions, path: string): PlanProblem[] {
  switch (optimizer.kind) {
    case 'sgd':
      return checkRate(optimizer.learningRate, 1e-9, path)
    case 'ftrl':
      return [
        ...inRange(optimizer.alpha, 1e-9, 1e6, 'alpha', path),
        ...inRange(optimizer.beta, 0, 1e6, 'beta', path),
        ...inRange(optimizer.l1, 0, 1e6, 'l1', path),
        ...inRange(optimizer.l2, 0, 1e6, 'l2', path),
      ]
    default: {
      const { rate, epsilon } = optimizer
      const shares = optimizer.kind === 'adam' ? [optimizer.beta1, optimizer.beta2] : []
      if (optimizer.kind === 'rms-prop') shares.push(optimizer.rho)
      return [
        ...inRange(rate, 1e-9, 1e6, 'rate', path),
        ...inRange(epsilon, 1e-15, 1, 'epsilon', path),
        ...shares.flatMap((share) => inRange(share, 0, 0.999999, 'a share of the past', path)),
      ]
    }
  }
}

function checkRate(rate: LearningRateOptions, min: number, path: string): PlanProblem[] {
  if (rate.kind === 'optimal') return inRange(rate.alpha, 1e-9, 1, 'alpha', path)
  const problems = inRange(rate.rate, min, 1e6, 'rate', path)
  return rate.kind === 'constant' ? problems : [...problems, ...inRange(rate.power, 0, 10, 'power', path)]
}

function checkScoreDrift(drift: DriftOptions | null, path: string): PlanProblem[] {
  if (drift === null || !watchesErrors(drift.kind)) return []
  return [
    {
      path,
      message: `${drift.kind} watches wrong answers`,
      hint: 'watch probabilities with adwin, pageHinkley or kswin',
    },
  ]
}

function checkDrift(drift: DriftOptions | null, path: string): PlanProblem[] {
  if (drift?.kind === 'adwin') {
    return [
      ...inRange(drift.delta, 1e-12, 1, 'delta', path),
      ...wholeInRange(drift.clock, 1, 1e6, 'clock', path),
      ...wholeInRange(drift.bucketsMax, 2, 100, 'bucketsMax', path),
      ...wholeInRange(drift.sideMin, 1, 1e6, 'sideMin', path),
      ...wholeInRange(drift.grace, 1, 1e6, 'grace', path),
    ]
  }
  if (drift?.kind !== 'kswin') return []
  return [
    ...inRange(drift.alpha, 1e-12, 1, 'alpha', path),
    ...wholeInRange(drift.recentSize, 2, 10_000, 'recentSize', path),
    ...wholeInRange(drift.windowSize, 2 * drift.recentSize, 100_000, 'windowSize', path),
    ...wholeInRange(drift.seed, 0, 2 ** 32 - 1, 'seed', path),
  ]
}

function inRange(value: number, min: number, max: number, what: string, path: string): PlanProblem[] {
  if (value >= min && value <= max) return []
  return [{ path, message: `${what} is ${value}`, hint: `use ${min} to ${max}` }]
}

function wholeInRange(value: number, min: number, max: number, what: string, path: string): PlanProblem[] {
  if (Number.isInteger(value)) return inRange(value, min, max, what, path)
  return [{ path, message: `${what} is ${value}`, hint: `use a whole number from ${min} to ${max}` }]
}
