import { writeSevenDigits } from '../batch/text-digits.ts'

/** Bytes of a user id, `u-0012345`: the key of the user's records, so that they lie in one partition, in order. */
export const USER_ID_BYTES = 9

/** `u-`, little-endian. */
const PREFIX = 0x2d75

/** Writes a user's id; returns the position behind it. */
export function writeUserId(target: DataView, at: number, user: number): number {
  target.setUint16(at, PREFIX, true)
  return writeSevenDigits(target, at + 2, user)
}
