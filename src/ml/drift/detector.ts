import type { ByteReader, ByteWriter } from '../../base/bytes.ts'

/** Watches a stream of numbers (errors 0 and 1, or losses) for a change. After a change it begins anew by itself. */
export interface DriftDetector {
  update(value: number): void
  /** The last value made it sure that something has changed. */
  readonly drift: boolean
  /** It begins to look like a change; always false for detectors that do not warn. */
  readonly warning: boolean
  write(writer: ByteWriter): void
  restore(reader: ByteReader): void
}

/** Writes the numbers that a detector consists of, then its flags. */
export function writeDetector(
  writer: ByteWriter,
  numbers: readonly number[],
  { drift, warning }: { readonly drift: boolean; readonly warning: boolean },
): void {
  for (const value of numbers) writer.f64(value)
  writer.u8((drift ? 1 : 0) + (warning ? 2 : 0))
}

/** Reads so many numbers and the flags. */
export function readDetector(
  reader: ByteReader,
  count: number,
): { readonly numbers: number[]; readonly drift: boolean; readonly warning: boolean } {
  const numbers = Array.from({ length: count }, () => reader.f64())
  const flags = reader.u8()
  return { numbers, drift: (flags & 1) === 1, warning: (flags & 2) === 2 }
}
