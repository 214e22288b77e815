import type { ByteReader, ByteWriter } from '../../base/bytes.ts'

/** Which numbers have had one value only so far: nothing can be learned from them. */
export class NumberVariety {
  /** The first value of each; NaN before it. */
  readonly #firsts: Float64Array
  readonly #varied: Uint8Array

  /** For so many numbers. */
  constructor(size: number) {
    this.#firsts = new Float64Array(size).fill(Number.NaN)
    this.#varied = new Uint8Array(size)
  }

  /** NaN is no value. */
  see(index: number, value: number): void {
    if (this.#varied[index] === 1 || Number.isNaN(value)) return
    const first = this.#firsts[index] as number
    if (Number.isNaN(first)) this.#firsts[index] = value
    else if (first !== value) this.#varied[index] = 1
  }

  /** How many have come, and always the same. */
  get constants(): number {
    return this.#firsts.filter((first, index) => !Number.isNaN(first) && this.#varied[index] === 0).length
  }

  write(writer: ByteWriter): void {
    for (const first of this.#firsts) writer.f64(first)
    for (const varied of this.#varied) writer.u8(varied)
  }

  restore(reader: ByteReader): void {
    for (let index = 0; index < this.#firsts.length; index++) this.#firsts[index] = reader.f64()
    for (let index = 0; index < this.#varied.length; index++) this.#varied[index] = reader.u8() & 1
  }
}
