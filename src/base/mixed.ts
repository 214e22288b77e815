/** Finalizer of MurmurHash3 (Austin Appleby): every bit of a 32-bit number moves every bit of the result. */
export function mixed(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return bits ^ (bits >>> 16)
}
