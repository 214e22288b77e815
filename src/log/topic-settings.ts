import { isDeepStrictEqual } from 'node:util'
import { MillraceError } from '../base/error.ts'
import type { TopicSettings } from './log.ts'

/** A segment is full at this size unless the topic says otherwise. */
export const SEGMENT_BYTES_DEFAULT: number = 128 * 1024 * 1024

/** Partitions of one topic. */
export const PARTITIONS_MAX = 256

/** Throws `invalid-option` when a topic of this name and these settings cannot be. */
export function checkTopic(topic: string, settings: TopicSettings): void {
  if (!isTopicName(topic)) {
    throw new MillraceError('invalid-option', `"${topic}" is not a topic name`, {
      hint: 'use 1 to 200 letters, digits, dots, underscores and hyphens, but not "." or ".."',
    })
  }
  checkNumber(topic, 'partitions', settings.partitions, 1, PARTITIONS_MAX)
  checkNumber(topic, 'segmentBytesMax', settings.segmentBytesMax, 1, Number.MAX_SAFE_INTEGER)
  checkNumber(topic, 'retentionBytesMax', settings.retentionBytesMax, 1, Number.MAX_SAFE_INTEGER)
  checkNumber(topic, 'retentionMs', settings.retentionMs, 1, Number.MAX_SAFE_INTEGER)
}

/** Names that are safe as parts of file names. */
export function isTopicName(topic: string): boolean {
  return /^[a-zA-Z0-9._-]{1,200}$/.test(topic) && topic !== '.' && topic !== '..'
}

/** Throws `invalid-option` when a topic that exists was asked for with other settings. */
export function checkSameSettings(topic: string, existing: TopicSettings, wanted: TopicSettings): void {
  const before = canonical(existing)
  const after = canonical(wanted)
  if (isDeepStrictEqual(before, after)) return
  throw new MillraceError(
    'invalid-option',
    `topic ${topic} exists with other settings: ${JSON.stringify(before)}, not ${JSON.stringify(after)}`,
    { hint: 'use the topic as it is, or choose another name' },
  )
}

/** Settings without what is absent or empty, members in one order. */
export function canonical(settings: TopicSettings): TopicSettings {
  const labels = Object.entries(settings.labels ?? {}).toSorted(([left], [right]) => (left < right ? -1 : 1))
  return {
    partitions: settings.partitions,
    ...(labels.length > 0 && { labels: Object.fromEntries(labels) }),
    ...(settings.segmentBytesMax !== undefined && { segmentBytesMax: settings.segmentBytesMax }),
    ...(settings.retentionBytesMax !== undefined && { retentionBytesMax: settings.retentionBytesMax }),
    ...(settings.retentionMs !== undefined && { retentionMs: settings.retentionMs }),
  }
}

function checkNumber(topic: string, name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most)) return
  throw new MillraceError('invalid-option', `${name} of topic ${topic} is ${value}`, {
    hint: `give a whole number from ${least} to ${most}`,
  })
}
