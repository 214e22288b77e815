import { assert } from '../base/assert.ts'

/**
 * Chooses partitions as Kafka's Java client does: a record with a key always goes to the same one, by murmur2 of the key; records
 * without one stay on a partition until the batch is sent, then go on to the next.
 */
export class Partitioner {
  readonly #partitionCount: number
  #sticky = 0

  constructor(partitionCount: number) {
    assert(partitionCount > 0, 'a topic has partitions')
    this.#partitionCount = partitionCount
  }

  partitionOf(key: Uint8Array | null): number {
    return key === null ? this.#sticky : (murmur2(key) & 0x7fffffff) % this.#partitionCount
  }

  /** The batch of keyless records was sent: the next ones go to the next partition. */
  turn(): void {
    this.#sticky = (this.#sticky + 1) % this.#partitionCount
  }
}

/**
 * The hash that Kafka's producers spread keys by, as a signed 32-bit number: MurmurHash2 (Austin Appleby) with the seed
 * of `org.apache.kafka.common.utils.Utils.murmur2`.
 */
export function murmur2(bytes: Uint8Array): number {
  let hash = SEED ^ bytes.length
  const wordsEnd = bytes.length & ~3
  let at = 0
  for (; at < wordsEnd; at += 4) {
    let word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
    word = Math.imul(word, MULTIPLIER)
    word ^= word >>> 24
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER)
  }
  const rest = bytes.length - at
  if (rest > 2) hash ^= bytes[at + 2] << 16
  if (rest > 1) hash ^= bytes[at + 1] << 8
  if (rest > 0) hash = Math.imul(hash ^ bytes[at], MULTIPLIER)
  hash ^= hash >>> 13
  hash = Math.imul(hash, MULTIPLIER)
  return hash ^ (hash >>> 15)
}

const SEED = 0x9747b28c
const MULTIPLIER = 0x5bd1e995
