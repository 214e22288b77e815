import type { BinaryModelOptions } from '../../src/ml/binary-model.ts'
import type { OptimizerOptions } from '../../src/ml/optimizer.ts'

/** River's `StandardScaler() | LogisticRegression(optimizer)`, and nothing that River does not do. */
export function riverModel(optimizer: OptimizerOptions): BinaryModelOptions {
  return {
    scale: true,
    optimizer,
    l2: 0,
    interceptRate: { kind: 'constant', rate: 0.01 },
    fromBaseRate: false,
    weightPos: 1,
    weightNeg: 1,
    keepNegatives: 1,
    plattRate: null,
  }
}
