import { ByteReader, ByteWriter } from '../base/bytes.ts'
import type { DriftDetector } from './drift/detector.ts'
import { createDetector, type DriftOptions, watchesErrors } from './drift/index.ts'
import { WeightJudge } from './weight-judge.ts'

/** A model whose weights can be kept and taken back. */
export interface WatchedModel {
  /** Whether all weights are numbers that can be worked with. */
  readonly sound: boolean
  readonly updates: number
  /** Steps are counted on from here: a model that goes back to old weights is a new version. */
  continueFrom(updates: number): void
  write(writer: ByteWriter): void
  restore(reader: ByteReader): void
}

/** Who watches a model. */
export interface GuardOptions {
  readonly drift: DriftOptions | null
  /** Outcomes between two judgements; null: weights are never taken back. */
  readonly guardOutcomes: number | null
}

/** What has happened to the weights of a model since the beginning. */
export interface GuardCounts {
  readonly drifts: number
  readonly warnings: number
  /** Times that weights went back to the last good ones. */
  readonly rollbacks: number
}

/** Copying and checking so many weights takes a small part of the time that an outcome takes. */
const SLOTS_FOR_AN_OUTCOME = 16

/** A model with who watches it. Weights that were worse than the base rate, or are no numbers any more, go back to the last ones that were better. */
export class GuardedModel<M extends WatchedModel> {
  readonly #make: () => M
  readonly #options: GuardOptions
  readonly #detector: DriftDetector | undefined
  readonly #judge = new WeightJudge()
  /** Outcomes between two judgements; more for models whose copy would cost more than these. */
  readonly #guardOutcomes: number
  #current: M
  #warned = false
  #counts = { drifts: 0, warnings: 0, rollbacks: 0 }
  /** A model that was better than the base rate; empty before there was one. */
  #good: Uint8Array = new Uint8Array(0)

  /** `size`: weights that the model has. */
  constructor(make: () => M, options: GuardOptions, size: number) {
    this.#make = make
    this.#options = options
    this.#current = make()
    this.#guardOutcomes = Math.max(options.guardOutcomes ?? 0, Math.ceil(size / SLOTS_FOR_AN_OUTCOME))
    this.#detector = options.drift === null ? undefined : createDetector(options.drift)
  }

  /** Valid until the next judgement. */
  get current(): M {
    return this.#current
  }

  get counts(): GuardCounts {
    return { ...this.#counts }
  }

  /** What the weights said to one outcome just before they learned from it, and what the base rate said; losses in nats. */
  judge(loss: number, baseLoss: number, wrong: boolean): void {
    this.#watch(loss, wrong)
    if (this.#options.guardOutcomes === null) return
    this.#judge.add(loss, baseLoss)
    if (this.#judge.outcomes >= this.#guardOutcomes) this.#guard()
  }

  /** Weights that are no numbers begin anew when there were never good ones. */
  rollBack(): void {
    this.#counts.rollbacks++
    const { updates } = this.#current
    this.#current = this.#make()
    if (this.#good.length > 0) this.#current.restore(new ByteReader(this.#good, 'the last good weights'))
    this.#current.continueFrom(updates)
  }

  write(writer: ByteWriter): void {
    this.#current.write(writer)
    this.#detector?.write(writer)
    writer.u8(this.#warned ? 1 : 0)
    const { drifts, warnings, rollbacks } = this.#counts
    for (const count of [drifts, warnings, rollbacks]) writer.varint(count)
    this.#judge.write(writer)
    writer.bytes(this.#good)
  }

  restore(reader: ByteReader): void {
    this.#current.restore(reader)
    this.#detector?.restore(reader)
    this.#warned = reader.u8() === 1
    this.#counts = { drifts: reader.varint(), warnings: reader.varint(), rollbacks: reader.varint() }
    this.#judge.restore(reader)
    this.#good = reader.bytes().slice()
  }

  #watch(loss: number, wrong: boolean): void {
    const { drift } = this.#options
    if (!this.#detector || !drift) return
    this.#detector.update(watchesErrors(drift.kind) ? (wrong ? 1 : 0) : loss)
    if (this.#detector.drift) this.#counts.drifts++
    if (this.#detector.warning && !this.#warned) this.#counts.warnings++
    this.#warned = this.#detector.warning
  }

  #guard(): void {
    const verdict = this.#judge.verdict()
    if (this.#current.sound && verdict === 'better') this.#remember()
    else if (!this.#current.sound || (verdict === 'worse' && this.#good.length > 0)) this.rollBack()
  }

  #remember(): void {
    const writer = new ByteWriter(1024)
    this.#current.write(writer)
    this.#good = writer.finish()
  }
}
