import type { ByteReader, ByteWriter } from '../base/bytes.ts'

/**
 * A slot for each text, in the order in which they were first seen; all that come when the slots are used up share the last one, so that
 * a column with endless values costs no more than was planned.
 */
export class OneHot {
  readonly #slots = new Map<string, number>()
  readonly size: number

  /** At least two slots. */
  constructor(size: number) {
    this.size = size
  }

  slot(text: string): number {
    const found = this.#slots.get(text)
    if (found !== undefined) return found
    const next = this.#slots.size
    if (next >= this.size - 1) return this.size - 1
    this.#slots.set(text, next)
    return next
  }

  /** What the slots stand for; the last one for all other texts. */
  names(): string[] {
    return [...this.#slots.keys()]
  }

  write(writer: ByteWriter): void {
    writer.varint(this.#slots.size)
    for (const text of this.#slots.keys()) writer.text(text)
  }

  restore(reader: ByteReader): void {
    this.#slots.clear()
    for (let left = reader.count(); left > 0; left--) this.#slots.set(reader.text(), this.#slots.size)
    if (this.#slots.size >= this.size) throw reader.corrupt(`${this.#slots.size} texts for ${this.size} slots`)
  }
}
