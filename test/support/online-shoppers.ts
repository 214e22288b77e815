import { join } from 'node:path'
import { assert } from '../../src/base/assert.ts'
import { BinaryModel } from '../../src/ml/binary-model.ts'
import { addNumber, addText, featureVector } from '../../src/ml/feature-vector.ts'
import { logLoss } from '../../src/ml/metrics/prequential.ts'
import { rankingOf } from '../../src/ml/metrics/ranking.ts'
import type { OptimizerOptions } from '../../src/ml/optimizer.ts'
import { riverModel } from './river-model.ts'

/** Where tests look for the data set "Online Shoppers Purchasing Intention" of the UCI repository, which is not ours to keep. */
export const ONLINE_SHOPPERS_FILE: string = join(
  import.meta.dirname,
  '../../../shared/data/online-shoppers/online_shoppers_intention.csv',
)

const NUMBERS = [
  'Administrative',
  'Administrative_Duration',
  'Informational',
  'Informational_Duration',
  'ProductRelated',
  'ProductRelated_Duration',
  'BounceRates',
  'ExitRates',
  'PageValues',
  'SpecialDay',
]
const TEXTS = ['Month', 'OperatingSystems', 'Browser', 'Region', 'TrafficType', 'VisitorType', 'Weekend']
const LABEL = 'Revenue'
const TEXT_VALUES_MAX = 32

/** How well a model did that predicted each row before it learned from it. */
export interface Accuracy {
  readonly rows: number
  readonly auc: number
  readonly logLoss: number
  readonly brier: number
}

/** Predicts and learns each row of the file in its order: numbers scaled, texts one-hot, no L2. */
export function learnShoppers(csv: string, optimizer: OptimizerOptions, without: readonly string[] = []): Accuracy {
  const [head = '', ...lines] = csv.trimEnd().split(/\r?\n/)
  const columns = head.split(',').map((name) => name.replaceAll('"', ''))
  const placeOf = (name: string): number => {
    const place = columns.indexOf(name)
    assert(place >= 0, `the file has a column ${name}`)
    return place
  }
  const numbers = NUMBERS.filter((name) => !without.includes(name)).map(placeOf)
  const texts = TEXTS.map(placeOf)
  const label = placeOf(LABEL)
  const slots = new Map<string, number>()
  const size = numbers.length + texts.length * TEXT_VALUES_MAX
  const model = new BinaryModel(riverModel(optimizer), {
    size,
    numbers: numbers.length,
    featuresMax: numbers.length + texts.length,
  })
  const scores = new Float64Array(lines.length)
  const labels = new Uint8Array(lines.length)
  let loss = 0
  let squares = 0
  for (const [index, line] of lines.entries()) {
    const cells = line.split(',').map((cell) => cell.replaceAll('"', ''))
    const row = featureVector(numbers.length + texts.length)
    for (const [slot, place] of numbers.entries()) addNumber(row, slot, Number(cells[place]))
    for (const place of texts) {
      const key = `${place} ${cells[place]}`
      const slot = slots.get(key) ?? numbers.length + slots.size
      slots.set(key, slot)
      addText(row, slot, 1)
    }
    const positive = /^true$/i.test(cells[label] ?? '')
    const probability = model.probability(row)
    model.learn(row, positive)
    scores[index] = probability
    labels[index] = positive ? 1 : 0
    loss += logLoss(probability, positive)
    squares += (probability - (positive ? 1 : 0)) ** 2
  }
  const rows = lines.length
  return { rows, auc: rankingOf(scores, labels, 1).auc ?? Number.NaN, logLoss: loss / rows, brier: squares / rows }
}
