import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Accuracy, learnShoppers, ONLINE_SHOPPERS_FILE } from '../../test/support/online-shoppers.ts'
import { Random } from '../base/random.ts'
import type { OptimizerOptions } from './optimizer.ts'

const adaGrad: OptimizerOptions = { kind: 'ada-grad', rate: 0.1, epsilon: 1e-8 }
const sgd: OptimizerOptions = { kind: 'sgd', learningRate: { kind: 'constant', rate: 0.01 } }
/** The known figures have three or four digits, of another implementation's one-hot columns. */
const TOLERANCE = 0.005

const found = existsSync(ONLINE_SHOPPERS_FILE)
const skip = found ? false : 'online_shoppers_intention.csv (UCI) is missing: it goes to ../shared/data/online-shoppers'

test('shoppers of a real shop are told apart as well as is known of this model', { skip }, () => {
  const csv = readFileSync(ONLINE_SHOPPERS_FILE, 'utf8')
  const first = learnShoppers(csv, adaGrad)
  assert.equal(first.rows, 12_330)
  assertNear(first, { auc: 0.8885, logLoss: 0.2945, brier: 0.086 })
  assertNear(learnShoppers(csv, sgd), { auc: 0.8818, logLoss: 0.3018 })
  assertNear(learnShoppers(csv, adaGrad, ['PageValues']), { auc: 0.7454, logLoss: 0.3795 })
})

test('a file of such shoppers is read: who looks at pages of value buys', () => {
  const random = new Random(7)
  const rows = Array.from({ length: 3_000 }, () => {
    const value = random.chance(0.3) ? 20 + random.below(40) : 0
    const buys = random.chance(value > 0 ? 0.6 : 0.04)
    const month = random.pick(['Feb', 'May', 'Nov'])
    const returning = random.pick(['Returning_Visitor', 'New_Visitor'])
    return `0,0,0,0,${random.below(50)},0,0.02,0.04,${value},0,${month},2,2,1,1,"${returning}",FALSE,${buys ? 'TRUE' : 'FALSE'}`
  })
  const head =
    'Administrative,Administrative_Duration,Informational,Informational_Duration,ProductRelated,ProductRelated_Duration,' +
    'BounceRates,ExitRates,PageValues,SpecialDay,Month,OperatingSystems,Browser,Region,TrafficType,VisitorType,Weekend,Revenue'
  const csv = `${head}\r\n${rows.join('\r\n')}\r\n`
  const { rows: read, auc, logLoss } = learnShoppers(csv, adaGrad)
  assert.equal(read, 3_000)
  // One who knows each value: 0.3 x H(0.6) + 0.7 x H(0.04) = 0.32 nats; always the share of buyers: 0.51.
  assert.ok(auc > 0.82 && logLoss < 0.4, `${auc} ${logLoss}`)
  const without = learnShoppers(csv, adaGrad, ['PageValues'])
  assert.ok(Math.abs(without.auc - 0.5) < 0.05, `${without.auc}`)
  assert.throws(() => learnShoppers(csv.replace('VisitorType', 'Visitor'), sgd), /a column VisitorType/)
})

function assertNear(actual: Accuracy, expected: Partial<Accuracy>): void {
  for (const name of ['auc', 'logLoss', 'brier'] as const) {
    const [got, value] = [actual[name], expected[name]]
    if (value === undefined) continue
    assert.ok(Math.abs(got - value) <= TOLERANCE, `${name} is ${got}, known is ${value}`)
  }
}
