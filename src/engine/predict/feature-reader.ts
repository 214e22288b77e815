import { assert } from '../../base/assert.ts'
import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { Batch } from '../../batch/batch.ts'
import { BOOLEAN_NULL, type Column } from '../../batch/column.ts'
import { type Field, fieldIndex } from '../../batch/schema.ts'
import { hashedSlot } from '../../ml/feature-hasher.ts'
import { addNumber, addText, type FeatureSlots, type FeatureVector, isExtreme } from '../../ml/feature-vector.ts'
import type { FeatureCounts } from '../../ml/model-summary.ts'
import { OneHot } from '../../ml/one-hot.ts'
import type { ExportedFeature } from '../../plan/model-export.ts'
import { TEXT_VALUES_MAX } from '../../plan/model-fields.ts'
import type { ModelFeature } from '../../plan/node.ts'
import { NumberVariety } from './number-variety.ts'

/** A number of each row, in a slot of its own; decimals come as whole units. */
interface NumberFeature {
  readonly name: string
  readonly columnIndex: number
  readonly unit: number
}

/** A text of each row, in one of several slots. */
type TextFeature = { readonly name: string; readonly columnIndex: number; readonly base: number } & (
  | { readonly oneHot: OneHot }
  | { readonly buckets: number; readonly signed: boolean }
)

/** Columns of rows as features: numbers in the first slots, what stands for texts behind. A null is an absent feature. */
export class FeatureReader {
  readonly slots: FeatureSlots
  readonly #numbers: readonly NumberFeature[]
  readonly #texts: readonly TextFeature[]
  readonly #variety: NumberVariety
  #extremeNumbers = 0
  #absentFeatures = 0
  #sharedTexts = 0

  constructor(features: readonly ModelFeature[], fields: readonly Field[]) {
    const placed = features.map((feature) => {
      const columnIndex = fieldIndex({ fields }, feature.column)
      return { feature, columnIndex, field: fields[columnIndex] as Field }
    })
    const isText = ({ field }: { readonly field: Field }): boolean => field.type === 'string'
    this.#numbers = placed
      .filter((one) => !isText(one))
      .map(({ columnIndex, field }) => ({ name: field.name, columnIndex, unit: 10 ** -(field.scale ?? 0) }))
    let base = this.#numbers.length
    this.#texts = placed.filter(isText).map(({ feature, columnIndex }): TextFeature => {
      const place = { name: feature.column, columnIndex, base }
      const size = feature.kind === 'hashed' ? feature.buckets : valuesMax(feature)
      base += size
      if (feature.kind === 'hashed') return { ...place, buckets: feature.buckets, signed: feature.signed }
      return { ...place, oneHot: new OneHot(size) }
    })
    this.slots = { size: base, numbers: this.#numbers.length, featuresMax: features.length }
    this.#variety = new NumberVariety(this.#numbers.length)
  }

  /** What was not taken as it came so far. */
  get counts(): FeatureCounts {
    return {
      extremeNumbers: this.#extremeNumbers,
      absentFeatures: this.#absentFeatures,
      sharedTexts: this.#sharedTexts,
      constantNumbers: this.#variety.constants,
    }
  }

  /** Fills a vector with the features of a row. */
  read({ columns }: Batch, row: number, into: FeatureVector): void {
    into.count = 0
    into.numbers = 0
    for (const [slot, { columnIndex, unit }] of this.#numbers.entries()) {
      const value = numberOf(columns[columnIndex] as Column, row) * unit
      if (Number.isNaN(value)) this.#absentFeatures++
      else if (isExtreme(value)) this.#extremeNumbers++
      this.#variety.see(slot, value)
      addNumber(into, slot, value)
    }
    for (const feature of this.#texts) {
      const bytes = textOf(columns[feature.columnIndex] as Column, row)
      if (!bytes) this.#absentFeatures++
      else if ('oneHot' in feature) {
        const slot = feature.oneHot.slot(bytes)
        if (slot === feature.oneHot.size - 1) this.#sharedTexts++
        addText(into, feature.base + slot, 1)
      } else {
        const { slot, value } = hashedSlot(bytes, feature.buckets, feature.signed)
        addText(into, feature.base + slot, value)
      }
    }
  }

  /** Slots that have come to mean something, with their names. */
  names(weights: Float64Array): { readonly slot: number; readonly name: string }[] {
    const numbers = this.#numbers.map(({ name }, slot) => ({ slot, name }))
    const texts = this.#texts.flatMap((feature) => {
      if (!('oneHot' in feature)) return hashedNames(feature, weights)
      const values = feature.oneHot.names().map((text) => `${feature.name}=${text}`)
      const named = values.map((name, index) => ({ slot: feature.base + index, name }))
      const rest = feature.base + feature.oneHot.size - 1
      return weights[rest] === 0 ? named : [...named, { slot: rest, name: `${feature.name}=(others)` }]
    })
    return [...numbers, ...texts]
  }

  /** Where features are among the weights. */
  layout(
    moments: (slot: number) => { readonly mean: number; readonly deviation: number } | undefined,
  ): ExportedFeature[] {
    const numbers = this.#numbers.map(({ name }, slot): ExportedFeature => {
      return { kind: 'number', name, slot, ...moments(slot) }
    })
    const texts = this.#texts.map((feature): ExportedFeature => {
      const { name, base: slot } = feature
      if (!('oneHot' in feature))
        return { kind: 'hashed', name, slot, buckets: feature.buckets, signed: feature.signed }
      return { kind: 'one-hot', name, slot, size: feature.oneHot.size, values: feature.oneHot.names() }
    })
    return [...numbers, ...texts]
  }

  write(writer: ByteWriter): void {
    for (const count of [this.#extremeNumbers, this.#absentFeatures, this.#sharedTexts]) writer.varint(count)
    this.#variety.write(writer)
    for (const feature of this.#texts) if ('oneHot' in feature) feature.oneHot.write(writer)
  }

  restore(reader: ByteReader): void {
    this.#extremeNumbers = reader.varint()
    this.#absentFeatures = reader.varint()
    this.#sharedTexts = reader.varint()
    this.#variety.restore(reader)
    for (const feature of this.#texts) if ('oneHot' in feature) feature.oneHot.restore(reader)
  }
}

function valuesMax(feature: ModelFeature): number {
  return feature.kind === 'one-hot' ? feature.valuesMax : TEXT_VALUES_MAX
}

function hashedNames(
  { name, base, buckets }: { readonly name: string; readonly base: number; readonly buckets: number },
  weights: Float64Array,
): { readonly slot: number; readonly name: string }[] {
  const found: { readonly slot: number; readonly name: string }[] = []
  for (let bucket = 0; bucket < buckets; bucket++) {
    if (weights[base + bucket] !== 0) found.push({ slot: base + bucket, name: `${name}#${bucket}` })
  }
  return found
}

/** NaN for a null. */
function numberOf(column: Column, row: number): number {
  switch (column.kind) {
    case 'number':
      return column.values[row] as number
    case 'int32':
      return column.validity[row] === 0 ? Number.NaN : (column.values[row] as number)
    case 'boolean':
      return column.values[row] === BOOLEAN_NULL ? Number.NaN : (column.values[row] as number)
    default:
      return assert(false, 'the plan was checked: the feature is a number') as never
  }
}

/** The text of a row; undefined for a null. */
export function textOf(column: Column, row: number): Uint8Array | undefined {
  if (column.kind === 'dictionary') {
    const code = column.codes[row] as number
    return code < 0 ? undefined : column.dictionary.bytes(code)
  }
  assert(column.kind === 'string', 'the plan was checked: the feature is a text')
  const start = column.starts[row] as number
  const length = column.lengths[row] as number
  return length < 0 ? undefined : column.data.subarray(start, start + length)
}
