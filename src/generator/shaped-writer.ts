import { assert } from '../base/assert.ts'
import { TextFragments } from '../batch/text-fragments.ts'
import { spoil } from './damage.ts'
import { EVENT_ROOM_BYTES, type RowWriter } from './event-writer.ts'
import { EVENT_TYPES, type GeneratedEvent, INVALID, MALFORMED, NONE } from './generated-event.ts'
import type { GeneratorSettings } from './settings.ts'
import type { Member, Shape } from './shape.ts'
import { type ValueWriter, valueWriter } from './shaped-value.ts'

const BRACE = 0x7d

/** Writes events in the shape of a source system, member by member; as `EventWriter`, without a text or an object per event. */
export class ShapedWriter implements RowWriter {
  readonly #shape: Shape
  readonly #bytes = new Uint8Array(EVENT_ROOM_BYTES)
  readonly #view = new DataView(this.#bytes.buffer)
  readonly #fragments = new TextFragments()
  readonly #members: readonly CompiledMember[]

  constructor(shape: Shape, settings: GeneratorSettings) {
    this.#shape = shape
    this.#members = shape.members.map((member, index) => this.#compile(member, index, settings))
  }

  /** The bytes of a row; valid until the next call. */
  write(event: GeneratedEvent): Uint8Array {
    const row = this.#bytes.subarray(0, this.writeInPlace(event, this.#view, 0))
    if (event.plant !== MALFORMED && event.plant !== INVALID) return row
    return spoil(row, event.plant, event.damage, this.#shape.damaged)
  }

  /** Writes a row that is not to be spoiled; returns the position behind it. The target has `EVENT_ROOM_BYTES` from `start` on. */
  writeInPlace(event: GeneratedEvent, view: DataView, start: number): number {
    let at = start
    for (const member of this.#members) {
      if ((member.types & (1 << event.type)) === 0) continue
      const valueStart = this.#fragments.write(member.name, view, at)
      const end = member.value(event, view, valueStart)
      if (end !== NONE) at = end
      else if (member.nullable) at = this.#fragments.write(member.nullable, view, at)
    }
    view.setUint8(at, BRACE)
    return at + 1
  }

  #compile({ name, value, of, nullable }: Member, index: number, settings: GeneratorSettings): CompiledMember {
    assert(index > 0 || (!of && !nullable), 'every event has the first member')
    const text = `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`
    const mask = EVENT_TYPES.reduce(
      (bits, type, bit) => (!of || of.includes(this.#shape.types[type]) ? bits | (1 << bit) : bits),
      0,
    )
    return {
      types: mask,
      name: this.#fragments.add([text]),
      value: valueWriter(value, this.#shape, settings, this.#fragments),
      nullable: nullable ? this.#fragments.add([`${text}null`]) : undefined,
    }
  }
}

/** A member, ready to be written. */
interface CompiledMember {
  /** Bit `i`: events of type `i` have it. */
  readonly types: number
  /** Fragment of the comma, the name and the colon. */
  readonly name: number
  readonly value: ValueWriter
  /** Fragment of the name with a null; undefined when it is left out instead. */
  readonly nullable: number | undefined
}
