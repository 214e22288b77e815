/**
 * Walks over the records section of an uncompressed Kafka record batch v2:
 *
 *     length | attributes i8 | timestampDelta | offsetDelta | keyLength | key | valueLength | value | headerCount | headers
 *
 * Everything but the attributes is a zigzag varint; a length of -1 is a null. Keys and headers are skipped.
 */
export class RecordWalk {
  /** Of the record read last. A null value has `valueLength` -1. */
  offsetDelta = 0
  timestampDelta = 0
  valueStart = 0
  valueLength = 0
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0
  #end = 0
  /** The number read last. */
  #number = 0

  begin(bytes: Uint8Array, length: number): void {
    this.#bytes = bytes
    this.#at = 0
    this.#end = length
  }

  /** Where the next record begins. */
  get position(): number {
    return this.#at
  }

  /** Reads the next record. False when the bytes cannot be one; what is left is then unreadable. */
  next(): boolean {
    if (!this.#varint()) return false
    const recordEnd = this.#at + this.#number
    if (recordEnd > this.#end) return false
    this.#at++
    if (!this.#varint()) return false
    this.timestampDelta = this.#number
    if (!this.#varint()) return false
    this.offsetDelta = this.#number
    if (!this.#varint()) return false
    this.#at += Math.max(0, this.#number)
    if (this.#at >= recordEnd || !this.#varint()) return false
    this.valueStart = this.#at
    this.valueLength = this.#number
    if (this.#number < -1 || this.#at + Math.max(0, this.#number) >= recordEnd) return false
    this.#at = recordEnd
    return true
  }

  /** Reads a zigzag varint of up to 10 bytes into `#number`, exactly up to 2^53. */
  #varint(): boolean {
    const bytes = this.#bytes
    let byte = bytes[this.#at++]
    let value = byte & 0x7f
    for (let scale = 128; byte >= 0x80; scale *= 128) {
      if (scale > 2 ** 63 || this.#at >= this.#end) return false
      byte = bytes[this.#at++]
      value += (byte & 0x7f) * scale
    }
    this.#number = value % 2 === 0 ? value / 2 : -(value + 1) / 2
    return this.#at <= this.#end
  }
}
