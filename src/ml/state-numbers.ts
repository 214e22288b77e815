import type { ByteReader, ByteWriter } from '../base/bytes.ts'

/** Writes an array that is mostly zero: its places that are not, in order. Equal arrays give equal bytes. */
export function writeNumbers(writer: ByteWriter, values: Float64Array): void {
  let filled = 0
  for (let index = 0; index < values.length; index++) if (!Object.is(values[index], 0)) filled++
  writer.varint(filled)
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number
    if (Object.is(value, 0)) continue
    writer.varint(index)
    writer.f64(value)
  }
}

/** Fills an array with what `writeNumbers` has written. */
export function readNumbers(reader: ByteReader, into: Float64Array): void {
  into.fill(0)
  for (let left = reader.count(); left > 0; left--) {
    const index = reader.varint()
    if (index >= into.length) throw reader.corrupt(`place ${index} in a list of ${into.length} numbers`)
    into[index] = reader.f64()
  }
}
