/**
 * The features of one row: the value of slot `indices[i]` is `values[i]`, for i < `count`; all other slots are absent. Slots of numbers
 * come first, `numbers` of them: those are scaled, what stands for texts is not. Reused from row to row.
 */
export interface FeatureVector {
  readonly indices: Int32Array
  readonly values: Float64Array
  count: number
  numbers: number
}

/** A vector with room for so many features of one row, all absent. */
export function featureVector(capacity: number): FeatureVector {
  return { indices: new Int32Array(capacity), values: new Float64Array(capacity), count: 0, numbers: 0 }
}

/** Larger numbers are cut to this, so that their squares, and sums of these, are numbers still. */
const VALUE_MAX = 1e100

/** Appends a number; what is none, or infinite, is absent. */
export function addNumber(to: FeatureVector, slot: number, value: number): void {
  if (!Number.isFinite(value)) return
  to.indices[to.count] = slot
  to.values[to.count++] = value > VALUE_MAX ? VALUE_MAX : value < -VALUE_MAX ? -VALUE_MAX : value
  to.numbers = to.count
}

/** Whether a number is not taken as it is, other than one that is none. */
export function isExtreme(value: number): boolean {
  return value > VALUE_MAX || value < -VALUE_MAX
}

/** Appends what stands for a text. */
export function addText(to: FeatureVector, slot: number, value: number): void {
  to.indices[to.count] = slot
  to.values[to.count++] = value
}

/** A copy that keeps what it has when the original is filled again. */
export function copyOf({ indices, values, count, numbers }: FeatureVector): FeatureVector {
  return { indices: indices.slice(0, count), values: values.slice(0, count), count, numbers }
}

/** Where features are: slots below `size`, those of numbers below `numbers`; a row has at most `featuresMax`. */
export interface FeatureSlots {
  readonly size: number
  readonly numbers: number
  readonly featuresMax: number
}
