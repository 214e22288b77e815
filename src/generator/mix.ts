/**
 * Scrambles 32 bits; different inputs give different outputs. Signed, as all of JavaScript's bit operations are.
 * Constants: `lowbias32` by Chris Wellons (hash-prospector).
 */
export function mix32(value: number): number {
  let mixed = value | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b)
  return mixed ^ (mixed >>> 16)
}
