import { createRequire } from 'node:module'

/**
 * CRC-32C (Castagnoli polynomial, RFC 3720 appendix B.4) as an unsigned number. `initial` is the checksum of the bytes before these:
 * `crc32c(b, crc32c(a))` is the checksum of a followed by b.
 */
export function crc32c(bytes: Uint8Array, initial = 0): number {
  if (bytes.length < NATIVE_BYTES_MIN) return portableCrc32c(bytes, initial)
  native ??= loadNative()
  return native(bytes, initial)
}

/**
 * The same in plain TypeScript, used where the prebuilt binary does not load and where calling it would cost more than it saves.
 * Slicing-by-8 (Kounavis and Berry, 2005): eight table look-ups for eight bytes that do not wait for each other.
 */
export function portableCrc32c(bytes: Uint8Array, initial = 0): number {
  const table = TABLES
  const wordsEnd = bytes.length & ~7
  let crc = ~initial
  let at = 0
  for (; at < wordsEnd; at += 8) {
    const low = crc ^ (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24))
    crc =
      table[0x700 | (low & 0xff)] ^
      table[0x600 | ((low >>> 8) & 0xff)] ^
      table[0x500 | ((low >>> 16) & 0xff)] ^
      table[0x400 | (low >>> 24)] ^
      table[0x300 | bytes[at + 4]] ^
      table[0x200 | bytes[at + 5]] ^
      table[0x100 | bytes[at + 6]] ^
      table[bytes[at + 7]]
  }
  for (; at < bytes.length; at++) crc = table[(crc ^ bytes[at]) & 0xff] ^ (crc >>> 8)
  return ~crc >>> 0
}

type Crc32c = (bytes: Uint8Array, initial: number) => number

/** Below this a call into the binary costs more than the loop. */
const NATIVE_BYTES_MIN = 256

/** Reflected 0x1EDC6F41. */
const POLYNOMIAL = 0x82f63b78

/** Eight tables of 256: table k holds the checksum of a byte that k zero bytes follow. */
const TABLES = createTables()

let native: Crc32c | undefined

function createTables(): Int32Array {
  const tables = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL
    tables[byte] = crc
  }
  for (let index = 256; index < tables.length; index++) {
    const before = tables[index - 256]
    tables[index] = tables[before & 0xff] ^ (before >>> 8)
  }
  return tables
}

/** The binary is a convenience of speed: a platform without one gets the same answers from the loop. */
function loadNative(): Crc32c {
  try {
    const require = createRequire(import.meta.url)
    const binary: { readonly crc32c: Crc32c } = require('@node-rs/crc32')
    return binary.crc32c
  } catch {
    return portableCrc32c
  }
}
