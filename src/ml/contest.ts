import type { ByteReader, ByteWriter } from '../base/bytes.ts'
import { BY_COMMAND } from './class-step.ts'
import type { FeatureSlots, FeatureVector } from './feature-vector.ts'
import { Learner, type LearnerReport } from './learner.ts'
import { logLoss } from './metrics/prequential.ts'
import { EventList, type ModelCommand, type ModelEvent, type PartEvent } from './model-event.ts'
import type { LogisticSpec } from './model-spec.ts'
import type { ExportedModel, ModelPart, StepModel } from './step-model.ts'
import { WeightJudge } from './weight-judge.ts'

/** Models of two classes over the same rows. */
export interface ContestOptions {
  readonly name: string
  /** The first champion. */
  readonly champion: LogisticSpec
  readonly challengers: readonly { readonly name: string; readonly model: LogisticSpec }[]
  /** Outcomes that a challenger is compared over; null: nobody is promoted but by command. */
  readonly promoteAfter: number | null
}

/** A model that takes part. */
interface Entry {
  readonly name: string
  readonly learner: Learner
  /** Compares what it said with what the champion said. */
  readonly judge: WeightJudge
  report: LearnerReport | null
}

/** What is told of a row: the champion's probability, the base rate, then, where there are several, the probability of each. */
const FIRST_ENTRY = 2

/**
 * A champion answers, challengers learn beside it from the same rows. After each `promoteAfter` outcomes the challenger that has lost least
 * becomes the champion, if that is no chance: what each had predicted is compared outcome by outcome. Nobody is dropped: who was
 * champion goes on as a challenger.
 */
export class Contest implements StepModel {
  readonly toldSize: number
  readonly #promoteAfter: number | null
  readonly #entries: readonly Entry[]
  readonly #events = new EventList()
  #champion = 0
  #outcomes = 0
  #predicted = 0

  constructor({ name, champion, challengers, promoteAfter }: ContestOptions, slots: FeatureSlots) {
    this.#promoteAfter = promoteAfter
    const entry = (entryName: string, spec: LogisticSpec): Entry => {
      return { name: entryName, learner: new Learner(spec, slots), judge: new WeightJudge(), report: null }
    }
    this.#entries = [entry(name, champion), ...challengers.map((one) => entry(`${name}/${one.name}`, one.model))]
    this.toldSize = this.#entries.length > 1 ? FIRST_ENTRY + this.#entries.length : FIRST_ENTRY
  }

  get version(): number {
    return this.#leader.learner.model.updates
  }

  tell(row: FeatureVector, into: Float64Array): void {
    this.#predicted++
    for (let index = 0; index < this.#entries.length; index++) {
      into[this.#place(index)] = (this.#entries[index] as Entry).learner.probability(row)
    }
    into[0] = into[this.#place(this.#champion)] as number
    into[1] = this.#leader.learner.baseRate
  }

  settle(row: FeatureVector, told: Float64Array, outcome: number): void {
    const label = outcome === 1
    const baseRate = told[1] as number
    this.#outcomes++
    const championLoss = logLoss(told[this.#place(this.#champion)] as number, label)
    for (let index = 0; index < this.#entries.length; index++) {
      const { learner, judge } = this.#entries[index] as Entry
      const probability = told[this.#place(index)] as number
      if (this.#entries.length > 1) judge.add(logLoss(probability, label), championLoss)
      learner.settle(row, probability, baseRate, label)
    }
    if (this.#promoteAfter !== null && this.#leader.judge.outcomes >= this.#promoteAfter) this.#compare()
  }

  endBatch(): void {
    for (const { learner } of this.#entries) learner.endBatch()
  }

  report(): boolean {
    let any = false
    for (const entry of this.#entries) {
      const report = entry.learner.report()
      if (report) entry.report = report
      any ||= report !== undefined
    }
    return any
  }

  parts(): ModelPart[] {
    return this.#entries.map(({ name, learner, report }, index) => {
      const { updates: version, weights, intercept, link } = learner.model
      const { kept } = learner.guarded
      const role = index === this.#champion ? 'champion' : 'challenger'
      const moments = (slot: number) => learner.model.moments(slot)
      return { name, role, className: null, version, kept, weights, intercept, link, moments, report }
    })
  }

  exports(): ExportedModel[] {
    const parts = this.parts()
    return parts.map((part, index) => {
      const write = (writer: ByteWriter): void => (this.#entries[index] as Entry).learner.model.write(writer)
      return { name: part.name, role: part.role, version: part.version, parts: [part], write }
    })
  }

  begin(state: ByteReader): void {
    this.#leader.learner.begin(state)
  }

  takeEvents(): PartEvent[] {
    const own = this.#events.take().map((event) => ({ ...event, part: this.#leader.name }))
    const ofEntries = this.#entries.flatMap(({ name, learner }) =>
      learner.guarded.takeEvents().map((event) => ({ ...event, part: name })),
    )
    // As they happened: a row that is predicted, or an outcome, is the same moment for all.
    return [...ofEntries, ...own].sort((left, right) => momentOf(left) - momentOf(right))
  }

  obey(command: ModelCommand): void {
    const wanted = command.action === 'promote' ? command.challenger : command.model
    const index = this.#entries.findIndex(({ name }) => name === wanted)
    const entry = this.#entries[index]
    if (!entry) this.#tell('refused', `no part is named ${wanted}`)
    else if (command.action === 'promote') this.#promote(index, BY_COMMAND)
    else entry.learner.guarded.rollBackTo(command.version, BY_COMMAND)
  }

  write(writer: ByteWriter): void {
    writer.varint(this.#champion)
    writer.varint(this.#outcomes)
    writer.varint(this.#predicted)
    for (const { learner, judge } of this.#entries) {
      learner.write(writer)
      judge.write(writer)
    }
  }

  restore(reader: ByteReader): void {
    this.#champion = reader.varint()
    if (this.#champion >= this.#entries.length)
      throw reader.corrupt(`model ${this.#champion} of ${this.#entries.length}`)
    this.#outcomes = reader.varint()
    this.#predicted = reader.varint()
    for (const entry of this.#entries) {
      entry.learner.restore(reader)
      entry.judge.restore(reader)
      entry.report = entry.learner.standing() ?? null
    }
  }

  #place(index: number): number {
    return this.#entries.length > 1 ? FIRST_ENTRY + index : 0
  }

  get #leader(): Entry {
    return this.#entries[this.#champion] as Entry
  }

  #compare(): void {
    let best = this.#champion
    let gain = 0
    for (const [index, { judge }] of this.#entries.entries()) {
      const { meanGain } = judge
      if (judge.verdict() !== 'better' || meanGain <= gain) continue
      best = index
      gain = meanGain
    }
    if (best !== this.#champion) this.#promote(best, `lost ${gain.toPrecision(3)} less an outcome`)
  }

  #promote(index: number, reason: string): void {
    const before = this.#leader.name
    this.#champion = index
    for (const { judge } of this.#entries) judge.reset()
    this.#tell('promotion', `${reason}, in place of ${before}`)
  }

  #tell(kind: ModelEvent['kind'], reason: string): void {
    const [outcome, predicted] = [this.#outcomes, this.#predicted]
    this.#events.add({ kind, outcome, predicted, version: this.version, toVersion: null, reason })
  }
}

/** Both only grow, so their sum says what came first. */
function momentOf({ outcome, predicted }: ModelEvent): number {
  return outcome + predicted
}
