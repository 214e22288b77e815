import type { FeatureSlots } from '../../ml/feature-vector.ts'
import { BinaryStep, ClassStep, type StepModel } from '../../ml/step-model.ts'
import { labelClasses } from '../../plan/model-fields.ts'
import type { PredictNode } from '../../plan/node.ts'

/** The model that a step of a plan asks for. */
export function createStepModel({ model, label }: PredictNode, slots: FeatureSlots): StepModel {
  return model.kind === 'softmax' ? new ClassStep(model, slots, labelClasses(label)) : new BinaryStep(model, slots)
}
