import type { ByteReader, ByteWriter } from '../../base/bytes.ts'
import { Random } from '../../base/random.ts'
import type { DriftDetector } from './detector.ts'

/** What is compared, and when it differs. */
export interface KswinOptions {
  /** Probability of an alarm without a change, per value. */
  readonly alpha: number
  readonly windowSize: number
  /** The newest values, compared with as many of the older ones. */
  readonly recentSize: number
  readonly seed: number
}

/** A distance below this is no change, however unlikely it is. */
const DISTANCE_MIN = 0.1

/**
 * The newest values against a sample of older ones, by the test of Kolmogorov and Smirnov. C. Raab et al., "Reactive Soft Prototype
 * Computing for Concept Drift Streams" (2020). The sample is drawn by a seeded sequence that is part of the state, so it is the same
 * whenever the stream is; River draws others, and alarms where this one does in all but borderline cases.
 */
export class Kswin implements DriftDetector {
  readonly warning = false
  drift = false
  readonly #options: KswinOptions
  #window: number[] = []
  #random: Random

  constructor(options: KswinOptions) {
    this.#options = options
    this.#random = new Random(options.seed)
  }

  update(value: number): void {
    const { alpha, windowSize, recentSize, seed } = this.#options
    if (this.drift) {
      this.#window = []
      this.#random = new Random(seed)
      this.drift = false
    }
    this.#window.push(value)
    if (this.#window.length > windowSize) this.#window.shift()
    if (this.#window.length < windowSize) return
    const recent = this.#window.slice(windowSize - recentSize)
    const distance = largestGap(this.#sample(), recent)
    this.drift = distance > DISTANCE_MIN && probabilityOf(distance, recentSize) <= alpha
  }

  write(writer: ByteWriter): void {
    writer.u8(this.drift ? 1 : 0)
    for (const word of this.#random.save()) writer.u32(word >>> 0)
    writer.varint(this.#window.length)
    for (const value of this.#window) writer.f64(value)
  }

  restore(reader: ByteReader): void {
    this.drift = reader.u8() === 1
    this.#random = Random.restored([reader.u32() | 0, reader.u32() | 0, reader.u32() | 0, reader.u32() | 0])
    this.#window = Array.from({ length: reader.count() }, () => reader.f64())
    if (this.#window.length > this.#options.windowSize) throw reader.corrupt('the window is larger than it may be')
  }

  /** Some of the older values, each at most once. */
  #sample(): number[] {
    const { windowSize, recentSize } = this.#options
    const older = this.#window.slice(0, windowSize - recentSize)
    for (let place = 0; place < recentSize; place++) {
      const other = place + this.#random.below(older.length - place)
      const value = older[other] as number
      older[other] = older[place] as number
      older[place] = value
    }
    return older.slice(0, recentSize)
  }
}

/** Largest difference of the shares of two samples of one size that lie at or below a value. */
function largestGap(left: readonly number[], right: readonly number[]): number {
  const [lefts, rights] = [left.toSorted(ascending), right.toSorted(ascending)]
  let largest = 0
  let [l, r] = [0, 0]
  while (l < lefts.length && r < rights.length) {
    const value = Math.min(lefts[l] as number, rights[r] as number)
    while (l < lefts.length && lefts[l] === value) l++
    while (r < rights.length && rights[r] === value) r++
    largest = Math.max(largest, Math.abs(l - r))
  }
  return largest / lefts.length
}

/** How likely so large a gap is when both samples of a size come from one source: exact, by J. L. Hodges (1958). */
function probabilityOf(distance: number, size: number): number {
  const gap = Math.round(distance * size)
  let probability = 0
  for (let k = Math.floor(size / gap); k >= 0; k--) {
    let product = 1
    for (let step = 0; step < gap; step++) product *= (size - k * gap - step) / (size + k * gap + step + 1)
    probability = product * (1 - probability)
  }
  return Math.min(1, 2 * probability)
}

function ascending(left: number, right: number): number {
  return left - right
}
