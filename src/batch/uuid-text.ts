import { HEX_VALUES } from './json-scanner.ts'

/** Characters of a UUID's text form: `123e4567-e89b-12d3-a456-426614174000`. */
export const UUID_LENGTH = 36

/** Writes the 16 bytes of a UUID in text form (either case) to `out[outAt...]`. False when it is none; `out` is then undefined. */
export function parseUuid(bytes: Uint8Array, start: number, end: number, out: Uint8Array, outAt: number): boolean {
  if (end - start !== UUID_LENGTH) return false
  let at = start
  let wrong = 0
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) wrong |= bytes[at++] ^ DASH
    const value = (HEX_VALUES[bytes[at]] << 4) | HEX_VALUES[bytes[at + 1]]
    wrong |= value & ~0xff
    out[outAt + index] = value
    at += 2
  }
  return wrong === 0
}

/** Text form, in lower case, of the 16 bytes at `at`. */
export function formatUuid(bytes: Uint8Array, at: number): string {
  let text = ''
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += '-'
    text += HEX_PAIRS[bytes[at + index]]
  }
  return text
}

const DASH = 0x2d
const HEX_PAIRS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
