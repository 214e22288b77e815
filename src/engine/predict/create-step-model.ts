import { ClassStep } from '../../ml/class-step.ts'
import { Contest } from '../../ml/contest.ts'
import type { FeatureSlots } from '../../ml/feature-vector.ts'
import type { StepModel } from '../../ml/step-model.ts'
import { labelClasses } from '../../plan/model-fields.ts'
import type { PredictNode } from '../../plan/node.ts'

/** The model that a step of a plan asks for, with those beside it. */
export function createStepModel({ name, model, label, contest }: PredictNode, slots: FeatureSlots): StepModel {
  if (model.kind === 'softmax') return new ClassStep(name, model, slots, labelClasses(label))
  const { challengers = [], promoteAfter = null } = contest ?? {}
  return new Contest({ name, champion: model, challengers, promoteAfter }, slots)
}
