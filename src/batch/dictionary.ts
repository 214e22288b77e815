/**
 * The values of a dictionary column: code -> UTF-8 bytes. Codes are dense from 0 and are never renumbered.
 * One object is one generation: when a decoder's dictionary is full, it goes on with a new, empty object, and the old one
 * is freed when no batch or cache refers to it any more. So a cache of something per code is keyed by the object.
 */
export interface Dictionary {
  /** Codes in use are 0 to size - 1. Grows as batches are decoded. */
  readonly size: number
  /** The value's UTF-8 bytes, a view that must not be kept or written to. */
  bytes(code: number): Uint8Array
  /** The value as text, decoded on first use and kept. */
  text(code: number): string
}
