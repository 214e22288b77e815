import { writeHex16, writeHex32 } from '../batch/text-digits.ts'
import { mix32 } from './mix.ts'

const DASH = 0x2d

/**
 * A UUID (version 4 by its form) that no other event of the sequence has: the scrambled lower half of the index stands in front, its
 * upper half at the end; both scramblings can be undone.
 */
export function writeEventId(target: DataView, start: number, index: number, key: number): number {
  const first = mix32(index ^ key)
  const second = mix32(first + key)
  const third = mix32(second ^ 0x9e37_79b9)
  const last = mix32(Math.floor(index / 2 ** 32) ^ second)
  let at = writeHex32(target, start, first)
  target.setUint8(at, DASH)
  at = writeHex16(target, at + 1, second >>> 16)
  target.setUint8(at, DASH)
  at = writeHex16(target, at + 1, (second & 0x0fff) | 0x4000)
  target.setUint8(at, DASH)
  at = writeHex16(target, at + 1, (third & 0x3fff) | 0x8000)
  target.setUint8(at, DASH)
  at = writeHex16(target, at + 1, third >>> 16)
  return writeHex32(target, at, last)
}

/** Twelve digits, different for each of 2^48 sessions: eight scramble the lower half of the number, four hide the rest. */
export function writeSessionId(target: DataView, start: number, session: number, key: number): number {
  const first = mix32(session ^ ~key)
  const rest = Math.floor(session / 2 ** 32)
  return writeHex16(target, writeHex32(target, start, first), (mix32(first ^ key) ^ rest) & 0xffff)
}
