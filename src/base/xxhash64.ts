/*
 * XXH64 (Yann Collet, https://github.com/Cyan4973/xxHash, doc/xxhash_spec.md) in two 32-bit halves: JavaScript has no fast 64-bit
 * integer. The result lies in `hashHigh` and `hashLow`, so that nothing is allocated per hash.
 */

/** Upper half of the last hash, as a signed 32-bit integer. */
export let hashHigh = 0
/** Lower half of the last hash, as a signed 32-bit integer. */
export let hashLow = 0

const P1H = 0x9e3779b1 | 0
const P1L = 0x85ebca87 | 0
const P2H = 0xc2b2ae3d | 0
const P2L = 0x27d4eb4f | 0
const P3H = 0x165667b1 | 0
const P3L = 0x9e3779f9 | 0
const P4H = 0x85ebca77 | 0
const P4L = 0xc2b2ae63 | 0
const P5H = 0x27d4eb2f | 0
const P5L = 0x165667c5 | 0

// The accumulator that the steps below work on.
let high = 0
let low = 0

/** Hashes `bytes[start, end)` with a seed below 2^31 into `hashHigh` and `hashLow`. */
export function xxhash64(bytes: Uint8Array, start: number, end: number, seed: number): void {
  let at = start
  if (end - start >= 32) {
    at = stripes(bytes, start, end, seed)
  } else {
    set(0, seed)
    add(P5H, P5L)
  }
  add(0, end - start)
  for (; at + 8 <= end; at += 8) {
    const accHigh = high
    const accLow = low
    round0(word(bytes, at + 4), word(bytes, at))
    set(high ^ accHigh, low ^ accLow)
    rotate(27)
    multiply(P1H, P1L)
    add(P4H, P4L)
  }
  if (at + 4 <= end) {
    const accHigh = high
    const accLow = low
    set(0, word(bytes, at))
    multiply(P1H, P1L)
    set(high ^ accHigh, low ^ accLow)
    rotate(23)
    multiply(P2H, P2L)
    add(P3H, P3L)
    at += 4
  }
  for (; at < end; at++) {
    const accHigh = high
    const accLow = low
    set(0, bytes[at] as number)
    multiply(P5H, P5L)
    set(high ^ accHigh, low ^ accLow)
    rotate(11)
    multiply(P1H, P1L)
  }
  avalanche()
  hashHigh = high
  hashLow = low
}

const lanes = new Int32Array(8)

/** Inputs of 32 bytes and more: four lanes side by side, then merged. Returns where the tail begins. */
function stripes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  set(P1H, P1L)
  add(P2H, P2L)
  add(0, seed)
  storeLane(0)
  set(P2H, P2L)
  add(0, seed)
  storeLane(1)
  set(0, seed)
  storeLane(2)
  set(~P1H, ~P1L)
  add(0, 1)
  add(0, seed)
  storeLane(3)
  let at = start
  for (; at + 32 <= end; at += 32) {
    for (let lane = 0; lane < 4; lane++) {
      const from = at + lane * 8
      set(word(bytes, from + 4), word(bytes, from))
      multiply(P2H, P2L)
      add(lanes[lane * 2] as number, lanes[lane * 2 + 1] as number)
      rotate(31)
      multiply(P1H, P1L)
      storeLane(lane)
    }
  }
  mergeLanes()
  return at
}

function mergeLanes(): void {
  let sumHigh = 0
  let sumLow = 0
  for (let lane = 0; lane < 4; lane++) {
    set(lanes[lane * 2] as number, lanes[lane * 2 + 1] as number)
    rotate([1, 7, 12, 18][lane] as number)
    add(sumHigh, sumLow)
    sumHigh = high
    sumLow = low
  }
  for (let lane = 0; lane < 4; lane++) {
    const accHigh = high
    const accLow = low
    round0(lanes[lane * 2] as number, lanes[lane * 2 + 1] as number)
    set(high ^ accHigh, low ^ accLow)
    multiply(P1H, P1L)
    add(P4H, P4L)
  }
}

/** One round over an empty accumulator. */
function round0(valueHigh: number, valueLow: number): void {
  set(valueHigh, valueLow)
  multiply(P2H, P2L)
  rotate(31)
  multiply(P1H, P1L)
}

function avalanche(): void {
  xorShift(33)
  multiply(P2H, P2L)
  xorShift(29)
  multiply(P3H, P3L)
  set(high, low ^ high) // Shifted by 32.
}

function xorShift(bits: number): void {
  if (bits > 32) set(high, low ^ (high >>> (bits - 32)))
  else set(high ^ (high >>> bits), low ^ ((low >>> bits) | (high << (32 - bits))))
}

function set(newHigh: number, newLow: number): void {
  high = newHigh | 0
  low = newLow | 0
}

function storeLane(lane: number): void {
  lanes[lane * 2] = high
  lanes[lane * 2 + 1] = low
}

function add(otherHigh: number, otherLow: number): void {
  const sum = (low >>> 0) + (otherLow >>> 0)
  high = (high + otherHigh + (sum > 0xffffffff ? 1 : 0)) | 0
  low = sum | 0
}

function rotate(bits: number): void {
  const rest = 32 - bits
  const newHigh = (high << bits) | (low >>> rest)
  low = (low << bits) | (high >>> rest)
  high = newHigh | 0
}

/** Modulo 2^64, by 16-bit digits. */
function multiply(otherHigh: number, otherLow: number): void {
  const a0 = low & 0xffff
  const a1 = low >>> 16
  const b0 = otherLow & 0xffff
  const b1 = otherLow >>> 16
  const low00 = a0 * b0
  const middle = a1 * b0 + (low00 >>> 16)
  const middleLow = a0 * b1 + (middle % 0x10000)
  const carry = a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(middleLow / 0x10000)
  const productHigh = (carry + Math.imul(low, otherHigh) + Math.imul(high, otherLow)) | 0
  low = ((middleLow & 0xffff) << 16) | (low00 & 0xffff)
  high = productHigh
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}
