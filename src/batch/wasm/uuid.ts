import { MINUS, QUOTE, SMALL, splat, ZERO } from './characters'

const UUID_LENGTH: usize = 36

/** Reads the UUID in the string whose content begins at `at` to 16 bytes at `out`; gives the address of the closing quote, or 0. */
@inline
export function readUuid(at: usize, out: usize): usize {
  if (load<u8>(at, UUID_LENGTH) != QUOTE) return 0
  if (load<u8>(at, 8) != MINUS || load<u8>(at, 13) != MINUS || load<u8>(at, 18) != MINUS || load<u8>(at, 23) != MINUS) return 0
  const head = v128.load(at)
  const middle = v128.load(at, 16)
  const tail = v128.load(at, 20)
  // The 32 digits without the dashes.
  const first = hexValues(v128.shuffle<u8>(head, middle, 0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17))
  const second = hexValues(v128.shuffle<u8>(middle, tail, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 28, 29, 30, 31))
  if (i8x16.bitmask(v128.or(first, second)) != 0) return 0
  v128.store(out, i8x16.narrow_i16x8_u(joined(first), joined(second)))
  return at + UUID_LENGTH
}

/** The value of each digit; the highest bit is set where there is none. */
@inline
function hexValues(characters: v128): v128 {
  const digits = i8x16.sub(characters, splat(ZERO))
  const areDigits = i8x16.lt_u(digits, i8x16.splat(10))
  const letters = i8x16.sub(v128.or(characters, splat(SMALL)), i8x16.splat(0x61))
  const areLetters = i8x16.lt_u(letters, i8x16.splat(6))
  const values = v128.bitselect(digits, i8x16.add(letters, i8x16.splat(10)), areDigits)
  const wrong = v128.andnot(i8x16.splat(-128), v128.or(areDigits, areLetters))
  return v128.or(v128.and(values, i8x16.splat(15)), wrong)
}

/** Each two values, high one first, as one byte in 16 bits. */
@inline
function joined(values: v128): v128 {
  const pairs = v128.or(i16x8.shl(values, 4), i16x8.shr_u(values, 8))
  return v128.and(pairs, i16x8.splat(0xff))
}
