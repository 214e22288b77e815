import type { ByteReader, ByteWriter } from '../base/bytes.ts'
import { ClassLearner } from './class-learner.ts'
import type { FeatureSlots, FeatureVector } from './feature-vector.ts'
import type { LearnerReport } from './learner.ts'
import type { ModelCommand, PartEvent } from './model-event.ts'
import type { SoftmaxSpec } from './model-spec.ts'
import type { ExportedModel, ModelPart, StepModel } from './step-model.ts'

/** A model of several classes as a step has it: told are the probabilities, then the base rates. */
export class ClassStep implements StepModel {
  readonly toldSize: number
  readonly #name: string
  readonly #classes: readonly string[]
  readonly #learner: ClassLearner
  #reports: readonly LearnerReport[] = []

  constructor(name: string, spec: SoftmaxSpec, slots: FeatureSlots, classes: readonly string[]) {
    this.toldSize = 2 * classes.length
    this.#name = name
    this.#classes = classes
    this.#learner = new ClassLearner(spec, slots, classes)
  }

  get version(): number {
    return this.#learner.model.updates
  }

  tell(row: FeatureVector, into: Float64Array): void {
    this.#learner.tell(row, into)
  }

  settle(row: FeatureVector, told: Float64Array, outcome: number): void {
    this.#learner.settle(row, told, outcome)
  }

  endBatch(): void {}

  report(): boolean {
    const reports = this.#learner.reports()
    this.#reports = reports ?? this.#reports
    return reports !== undefined
  }

  parts(): ModelPart[] {
    const { model, guarded } = this.#learner
    const { kept } = guarded
    const common = { name: this.#name, role: 'champion', version: model.updates, kept, link: PLAIN_LINK } as const
    const { weights } = model
    return this.#classes.map((className, index) => {
      const own = weights[index] ?? new Float64Array(0)
      const report = this.#reports[index] ?? null
      const moments = (slot: number) => model.moments(slot)
      return { ...common, className, weights: own, intercept: own.at(-1) ?? 0, moments, report }
    })
  }

  exports(): ExportedModel[] {
    const { model } = this.#learner
    const write = (writer: ByteWriter): void => model.write(writer)
    return [{ name: this.#name, role: 'champion', version: model.updates, parts: this.parts(), write }]
  }

  begin(state: ByteReader): void {
    this.#learner.model.restore(state)
  }

  takeEvents(): PartEvent[] {
    return this.#learner.guarded.takeEvents().map((event) => ({ ...event, part: this.#name }))
  }

  obey(command: ModelCommand): void {
    if (command.action === 'rollback') this.#learner.guarded.rollBackTo(command.version, BY_COMMAND)
    else this.#learner.guarded.refuse(`${command.challenger} is no challenger of ${this.#name}`)
  }

  write(writer: ByteWriter): void {
    this.#learner.write(writer)
  }

  restore(reader: ByteReader): void {
    this.#learner.restore(reader)
    this.#reports = this.#learner.standing()
  }
}

const PLAIN_LINK = { excess: 0, slope: 1, shift: 0 }

/** Why something has happened that somebody wanted. */
export const BY_COMMAND = 'by command'
