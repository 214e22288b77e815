// Hash of a text for the dictionaries. NH (Black, Halevi, Krawczyk, Krovetz, Rogaway, "UMAC", 1999) over 16 bytes at a time:
//
//     (word0 + key0) * (word2 + key2) + (word1 + key1) * (word3 + key3)     words of 32 bits, products of 64
//
// and at the end multiply-shift (Dietzfelbinger, 1996). Both are universal: whoever does not know the keys, which come from
// the seed, cannot choose texts that collide. Texts of up to 64 bytes are covered by loads that overlap, without a loop.

/** Keys: four vectors of 16 bytes, one for each vector of up to 64 bytes of text. */
const KEYS: usize = memory.data(64, 16)
const KEY_WORDS: usize = 8

let multiplier: u64 = 1
let chainKey: u64 = 1

/** Derives the keys. SplitMix64 (Steele, Lea, Flood, 2014). */
export function seedHash(seed: u32): void {
  let state: u64 = seed
  for (let index: usize = 0; index < KEY_WORDS; index++) {
    state += GOLDEN
    store<u64>(KEYS + (index << 3), splitMix(state))
  }
  multiplier = splitMix((state += GOLDEN)) | 1
  chainKey = splitMix((state += GOLDEN))
}

const GOLDEN: u64 = 0x9e3779b97f4a7c15

function splitMix(state: u64): u64 {
  let bits = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb
  return bits ^ (bits >> 31)
}

/** Hash of up to 16 bytes, given as a vector with zeros behind them. */
@inline
export function hashShort(text: v128, length: u32): u32 {
  return finish(nh(text, 0) + length)
}

/** Hash of more than 16 bytes. */
export function hashLong(at: usize, length: u32): u32 {
  const last = at + length - 16
  let sum = nh(v128.load(at), 0) + length
  if (length <= 32) return finish(sum + nh(v128.load(last), 16))
  if (length <= 64) {
    sum += nh(v128.load(at, 16), 16) + nh(v128.load(last - 16), 32) + nh(v128.load(last), 48)
    return finish(sum)
  }
  for (let next = at + 16; next < last; next += 16) sum = nh(v128.load(next), 16) + chained(sum)
  return finish(nh(v128.load(last), 32) + chained(sum))
}

@inline
function nh(text: v128, keyOffset: usize): u64 {
  const words = i32x4.add(text, v128.load(KEYS + keyOffset))
  const swapped = v128.shuffle<u64>(words, words, 1, 0)
  const products = i64x2.extmul_low_i32x4_u(words, swapped)
  return i64x2.extract_lane(products, 0) + i64x2.extract_lane(products, 1)
}

function chained(sum: u64): u64 {
  const keyed = sum ^ chainKey
  return (keyed & 0xffffffff) * ((keyed >> 32) | 1) + rotl(sum, 29)
}

@inline
function finish(sum: u64): u32 {
  const high = <u32>(((sum ^ (sum >> 32)) * multiplier) >> 32)
  return high ^ (high >> 15)
}
