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
  /** Copies the value's bytes to `into` from `at` on, if they fit there; gives how many they are. */
  copyTo(code: number, into: Uint8Array, at: number): number
  /** The value as text, decoded on first use and kept. */
  text(code: number): string
}

/** Copies bytes as a loop: for short values faster than a call. Nothing is copied when they do not fit; gives their number. */
export function copyShort(from: Uint8Array, start: number, length: number, into: Uint8Array, at: number): number {
  if (at + length > into.length) return length
  if (length > SHORT_MAX) into.set(from.subarray(start, start + length), at)
  else for (let index = 0; index < length; index++) into[at + index] = from[start + index] as number
  return length
}

const SHORT_MAX = 64
