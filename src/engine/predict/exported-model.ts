import { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { MillraceError } from '../../base/error.ts'
import { formatTime } from '../../base/time.ts'
import type { FeatureSlots } from '../../ml/feature-vector.ts'
import type { ExportedModel, StepModel } from '../../ml/step-model.ts'
import type { ModelExport, StartSpec } from '../../plan/model-export.ts'
import { labelClasses } from '../../plan/model-fields.ts'
import type { PredictNode } from '../../plan/node.ts'
import type { FeatureReader } from './feature-reader.ts'

/** A model as the text of its export. */
export function exportText(node: PredictNode, model: ExportedModel, reader: FeatureReader, asOfMs: number): string {
  const { slots } = reader
  const [first] = model.parts
  const weights = Buffer.concat(model.parts.map((part) => bytesOf(part.weights.subarray(0, slots.size))))
  const data: ModelExport = {
    format: 'millrace-model',
    formatVersion: 1,
    model: model.name,
    role: model.role,
    kind: node.model.kind,
    version: model.version,
    asOf: formatTime(asOfMs),
    classes: node.label.kind === 'next' ? labelClasses(node.label) : null,
    features: reader.layout((slot) => first?.moments(slot)),
    intercepts: model.parts.map(({ intercept }) => intercept),
    weights: weights.toString('base64'),
    link: first?.link ?? { excess: 0, slope: 1, shift: 0 },
    signature: signatureOf(node, slots),
    state: stateOf(model, reader),
  }
  return JSON.stringify(data)
}

/** Has a model go on from an export. Throws `incompatible-state` when that is of another kind of model. */
export function beginFrom(start: StartSpec, node: PredictNode, model: StepModel, reader: FeatureReader): void {
  if (start.signature !== signatureOf(node, reader.slots)) {
    throw new MillraceError('incompatible-state', `the export is of a model that is not like ${node.name}`, {
      hint: `it has to have the same features, classes and optimizer: ${start.signature}`,
    })
  }
  const state = new ByteReader(Buffer.from(start.state, 'base64'), 'the export that the model starts from')
  reader.restore(state)
  model.begin(state)
}

/** What two models must have in common for the one to go on with the state of the other. */
function signatureOf({ features, model, label }: PredictNode, slots: FeatureSlots): string {
  const { kind, scale, optimizer } = model
  const logistic = model.kind === 'logistic' ? [model.fromBaseRate, model.plattRate !== null] : []
  return JSON.stringify([kind, scale, optimizer.kind, ...logistic, labelClasses(label), features, slots])
}

function stateOf(model: ExportedModel, reader: FeatureReader): string {
  const writer = new ByteWriter(1024)
  reader.write(writer)
  model.write(writer)
  return Buffer.from(writer.finish()).toString('base64')
}

/** Little-endian, as every machine is that this runs on. */
function bytesOf(numbers: Float64Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
}
