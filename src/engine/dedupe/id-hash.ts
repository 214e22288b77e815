import type { HashKey } from '../keys/key-table.ts'
import { ID_WORDS } from './wide-ids.ts'

/** Words of a place: what lies there + 1, 0 when free; its hash. */
export const PLACE_WORDS = 2

/**
 * Hashes ids under a key that nobody outside knows, so that nobody can make a crowd in one place. The place where each begins is read once
 * on the way, before the first is looked at: the processor then waits for many of them at a time. Their sum lies behind the last hash, for
 * reads that nobody needs would be left out.
 */
export function hashAll(words: Int32Array, count: number, key: HashKey, hashes: Int32Array, places: Int32Array): void {
  const last = places.length - 1
  const [key0, key1] = key
  let sum = 0
  for (let index = 0, at = 0; index < count; index++, at += ID_WORDS) {
    let hash = Math.imul(words[at] ^ key0, 0x9e3779b1)
    hash = Math.imul((hash ^ (hash >>> 15)) + words[at + 1], 0x85ebca77)
    hash = Math.imul((hash ^ (hash >>> 13) ^ key1) + words[at + 2], 0xc2b2ae3d)
    hash = Math.imul((hash ^ (hash >>> 16)) + words[at + 3], 0x27d4eb2f)
    hash ^= hash >>> 15
    hashes[index] = hash
    sum = (sum + places[(hash * PLACE_WORDS) & last]) | 0
  }
  hashes[count] = sum
}
