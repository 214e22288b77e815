import { ByteReader, ByteWriter } from '../base/bytes.ts'
import { CalibrationJudge } from './calibration-judge.ts'
import type { DriftDetector } from './drift/detector.ts'
import { createDetector, type DriftOptions, watchesErrors } from './drift/index.ts'
import { EventList, type ModelEvent } from './model-event.ts'
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
  /** Watches losses, or wrong answers. */
  readonly drift: DriftOptions | null
  /** Watches what is said of rows, long before their outcomes are known. */
  readonly scoreDrift: DriftOptions | null
  /** Outcomes between two judgements; null: weights are never taken back. */
  readonly guardOutcomes: number | null
  /** Calibration error that weights may surely have; null: any. */
  readonly calibrationBound: number | null
}

/** What has happened to the weights of a model since the beginning. */
export interface GuardCounts {
  readonly drifts: number
  /** Alarms of who watches what is said of rows. */
  readonly scoreDrifts: number
  readonly warnings: number
  /** Times that weights went back to the last good ones. */
  readonly rollbacks: number
}

/** Copying and checking so many weights takes a small part of the time that an outcome takes. */
const SLOTS_FOR_AN_OUTCOME = 16

/** Good weights that are kept, the newest ones. */
const KEPT_MAX = 3

/** Weights that were surely better than the base rate. */
interface KeptWeights {
  readonly version: number
  readonly bytes: Uint8Array
}

/**
 * A model with who watches it. Weights that were worse than the base rate, promise what does not come, or are no numbers any more, go back to
 * the last ones that were better and kept their promises; the newest of these are kept. Where those are worse too, the world is another
 * one: all are let go, and it begins anew. For promises alone weights go back once: when that did not help, learning has to.
 */
export class GuardedModel<M extends WatchedModel> {
  readonly #make: () => M
  readonly #options: GuardOptions
  readonly #detector: DriftDetector | undefined
  readonly #scoreDetector: DriftDetector | undefined
  readonly #judge = new WeightJudge()
  readonly #calibration = new CalibrationJudge()
  /** Outcomes between two judgements; more for models whose copy would cost more than these. */
  readonly #guardOutcomes: number
  #current: M
  #warned = false
  #counts = { drifts: 0, scoreDrifts: 0, warnings: 0, rollbacks: 0 }
  /** Oldest first. */
  #kept: KeptWeights[] = []
  /** Weights went back after a judgement, and have not been good since. */
  #wentBack = false
  #outcomes = 0
  #predicted = 0
  readonly #events = new EventList()

  /** `size`: weights that the model has. */
  constructor(make: () => M, options: GuardOptions, size: number) {
    this.#make = make
    this.#options = options
    this.#current = make()
    this.#guardOutcomes = Math.max(options.guardOutcomes ?? 0, Math.ceil(size / SLOTS_FOR_AN_OUTCOME))
    this.#detector = options.drift === null ? undefined : createDetector(options.drift)
    this.#scoreDetector = options.scoreDrift === null ? undefined : createDetector(options.scoreDrift)
  }

  /** Valid until the next judgement. */
  get current(): M {
    return this.#current
  }

  get counts(): GuardCounts {
    return { ...this.#counts }
  }

  /** Versions that weights can go back to, oldest first. */
  get kept(): number[] {
    return this.#kept.map(({ version }) => version)
  }

  /** What has happened since the last call. */
  takeEvents(): ModelEvent[] {
    return this.#events.take()
  }

  /** A row has come: the probability that was said of it. */
  watchScore(score: number): void {
    this.#predicted++
    if (!this.#scoreDetector) return
    this.#scoreDetector.update(score)
    if (!this.#scoreDetector.drift) return
    this.#counts.scoreDrifts++
    this.#tell('drift', `${this.#options.scoreDrift?.kind} raised an alarm: what is said of rows has changed`)
  }

  /**
   * What the weights said to one outcome just before they learned from it, and what the base rate said; losses in nats. `probability` is what
   * they gave to what they held to be likely, or to being positive, and `came` whether it was.
   */
  judge(loss: number, baseLoss: number, wrong: boolean, probability: number, came: boolean): void {
    this.#outcomes++
    if (Number.isNaN(loss)) {
      // A detector that has seen what is no number would never raise an alarm again.
      this.rollBack(NO_NUMBERS)
      return
    }
    this.#watch(loss, wrong)
    if (this.#options.guardOutcomes === null) return
    this.#judge.add(loss, baseLoss)
    this.#calibration.add(probability, came)
    if (this.#judge.outcomes >= this.#guardOutcomes) this.#guard()
  }

  /** Back to the newest weights that are kept; without any they begin anew. */
  rollBack(reason: string): void {
    this.#goBack(this.#kept.at(-1), reason)
  }

  /** Back to the weights of a version, or to the newest that are kept; what is not kept is refused. */
  rollBackTo(version: number | null, reason: string): void {
    const kept = version === null ? this.#kept.at(-1) : this.#kept.find((one) => one.version === version)
    if (kept) this.#goBack(kept, reason)
    else
      this.#tell('refused', `${reason}: ${version === null ? 'no version is kept' : `version ${version} is not kept`}`)
  }

  /** Tells of a command that cannot be followed. */
  refuse(reason: string): void {
    this.#tell('refused', reason)
  }

  write(writer: ByteWriter): void {
    this.#current.write(writer)
    this.#detector?.write(writer)
    this.#scoreDetector?.write(writer)
    writer.u8(this.#warned ? 1 : 0)
    const { drifts, scoreDrifts, warnings, rollbacks } = this.#counts
    for (const count of [drifts, scoreDrifts, warnings, rollbacks]) writer.varint(count)
    this.#judge.write(writer)
    this.#calibration.write(writer)
    writer.varint(this.#outcomes)
    writer.varint(this.#predicted)
    writer.u8(this.#wentBack ? 1 : 0)
    writer.varint(this.#kept.length)
    for (const { version, bytes } of this.#kept) {
      writer.varint(version)
      writer.bytes(bytes)
    }
  }

  restore(reader: ByteReader): void {
    this.#current.restore(reader)
    this.#detector?.restore(reader)
    this.#scoreDetector?.restore(reader)
    this.#warned = reader.u8() === 1
    const [drifts, scoreDrifts] = [reader.varint(), reader.varint()]
    this.#counts = { drifts, scoreDrifts, warnings: reader.varint(), rollbacks: reader.varint() }
    this.#judge.restore(reader)
    this.#calibration.restore(reader)
    this.#outcomes = reader.varint()
    this.#predicted = reader.varint()
    this.#wentBack = reader.u8() === 1
    this.#kept = Array.from({ length: reader.count() }, () => ({
      version: reader.varint(),
      bytes: reader.bytes().slice(),
    }))
  }

  #watch(loss: number, wrong: boolean): void {
    const { drift } = this.#options
    if (!this.#detector || !drift) return
    this.#detector.update(watchesErrors(drift.kind) ? (wrong ? 1 : 0) : loss)
    if (this.#detector.drift) {
      this.#counts.drifts++
      this.#tell('drift', `${drift.kind} raised an alarm`)
    }
    if (this.#detector.warning && !this.#warned) {
      this.#counts.warnings++
      this.#tell('warning', `${drift.kind} warns`)
    }
    this.#warned = this.#detector.warning
  }

  #guard(): void {
    const verdict = this.#judge.verdict()
    const error = this.#calibration.sureError()
    const promises = error <= (this.#options.calibrationBound ?? Number.POSITIVE_INFINITY)
    if (!this.#current.sound) this.rollBack(NO_NUMBERS)
    else if (verdict === 'better' && promises) this.#keep()
    else if (verdict === 'worse' && this.#wentBack) this.#beginAnew()
    else if (this.#kept.length > 0 && verdict === 'worse') this.#takeBack('worse than the base rate')
    else if (this.#kept.length > 0 && !promises && !this.#wentBack)
      this.#takeBack(`a calibration error of ${error.toFixed(3)}`)
  }

  #takeBack(reason: string): void {
    this.rollBack(reason)
    this.#wentBack = true
  }

  /** What was good once is not any more, and going back to it again and again would undo what is learned of the world as it is now. */
  #beginAnew(): void {
    this.#kept = []
    this.#wentBack = false
    this.#goBack(undefined, 'kept weights are worse than the base rate, too')
  }

  #keep(): void {
    this.#wentBack = false
    const writer = new ByteWriter(1024)
    this.#current.write(writer)
    this.#kept.push({ version: this.#current.updates, bytes: writer.finish() })
    if (this.#kept.length > KEPT_MAX) this.#kept.shift()
  }

  #goBack(kept: KeptWeights | undefined, reason: string): void {
    const { updates } = this.#current
    this.#counts.rollbacks++
    this.#tell('rollback', reason, kept?.version ?? null)
    this.#current = this.#make()
    if (kept) this.#current.restore(new ByteReader(kept.bytes, 'kept weights'))
    // What other weights have said is not held against these.
    this.#judge.reset()
    this.#calibration.reset()
    this.#current.continueFrom(updates)
  }

  #tell(kind: ModelEvent['kind'], reason: string, toVersion: number | null = null): void {
    const [outcome, predicted, version] = [this.#outcomes, this.#predicted, this.#current.updates]
    this.#events.add({ kind, outcome, predicted, version, toVersion, reason })
  }
}

/** Why weights go back that are no numbers any more. */
export const NO_NUMBERS = 'weights are no numbers any more'
