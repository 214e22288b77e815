import type { TopicSettings } from './log.ts'
import { SEGMENT_BYTES_DEFAULT } from './topic-settings.ts'

/** What retention needs to know about a segment. Segments are in order, the last one is appended to. */
export interface SegmentFacts {
  readonly baseOffset: number
  readonly bytes: number
  /** Time of its first append; undefined while it is empty. */
  readonly firstAppendMs: number | undefined
}

/** True when a segment is to be closed before so many bytes are appended: it would grow too large, or is old enough to be dropped soon. */
export function isFull(active: SegmentFacts, appendBytes: number, nowMs: number, settings: TopicSettings): boolean {
  if (active.bytes === 0) return false
  if (active.bytes + appendBytes > (settings.segmentBytesMax ?? SEGMENT_BYTES_DEFAULT)) return true
  if (settings.retentionMs === undefined || active.firstAppendMs === undefined) return false
  return nowMs - active.firstAppendMs >= settings.retentionMs * SEGMENT_AGE_SHARE
}

/**
 * How many of the oldest segments retention lets go: those that the partition's size exceeds the limit by, and those whose last append
 * is too old, as told by the first append of the next segment. Never the one that is appended to, and none with an offset from
 * `keepFrom` on.
 */
export function expiredSegments(
  segments: readonly SegmentFacts[],
  settings: TopicSettings,
  nowMs: number,
  keepFrom: number,
): number {
  const { retentionBytesMax = Number.POSITIVE_INFINITY, retentionMs = Number.POSITIVE_INFINITY } = settings
  let bytes = segments.reduce((total, segment) => total + segment.bytes, 0)
  let count = 0
  for (; count < segments.length - 1; count++) {
    const segment = segments[count]
    const next = segments[count + 1]
    const tooOld = next.firstAppendMs !== undefined && nowMs - next.firstAppendMs > retentionMs
    if (next.baseOffset > keepFrom || !(bytes > retentionBytesMax || tooOld)) break
    bytes -= segment.bytes
  }
  return count
}

/** Segments of a topic with a time limit are closed after this share of it, so that records live at most that much longer. */
const SEGMENT_AGE_SHARE = 0.25
