/**
 * The slot of a text among `buckets` (a power of two), without a memory of texts: K. Weinberger et al., "Feature Hashing for Large Scale
 * Multitask Learning" (2009). With `signed`, half of the texts count -1, so that collisions cancel out on average.
 */
export function hashedSlot(
  bytes: Uint8Array,
  buckets: number,
  signed: boolean,
): { readonly slot: number; readonly value: number } {
  const hash = murmur3(bytes, 0)
  return { slot: hash & (buckets - 1), value: signed && hash >>> 31 === 1 ? -1 : 1 }
}

/** MurmurHash3, 32 bits (A. Appleby, public domain). */
export function murmur3(bytes: Uint8Array, seed: number): number {
  let hash = seed | 0
  const blocks = bytes.length & ~3
  for (let at = 0; at < blocks; at += 4) {
    const word = byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16)
    hash ^= mixedWord(word | (byteAt(bytes, at + 3) << 24))
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  let tail = 0
  for (let at = bytes.length - 1; at >= blocks; at--) tail = (tail << 8) | byteAt(bytes, at)
  if (blocks < bytes.length) hash ^= mixedWord(tail)
  hash ^= bytes.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function mixedWord(word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51)
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
}

function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] as number
}
