import { type ErrorCode, MillraceError } from '../../base/error.ts'
import { describeErrorCode } from './wire.ts'

/**
 * What an error code of the protocol asks for: the same once more; the same after asking who leads the partition or coordinates now;
 * giving way, since somebody else has taken over; or a person.
 */
export type Reaction = 'retry' | 'refresh' | 'fenced' | 'fatal'

/** The codes that are met by number somewhere. */
export const KafkaCode = {
  none: 0,
  offsetOutOfRange: 1,
  corruptMessage: 2,
  unknownTopicOrPartition: 3,
  messageTooLarge: 10,
  unknownMemberId: 25,
  topicAlreadyExists: 36,
  duplicateSequence: 46,
  offsetNotAvailable: 78,
  unknownTopicId: 100,
  inconsistentTopicId: 103,
} as const

/** What to do about an error code. */
export function reactionTo(code: number): Reaction {
  return REACTIONS[code] ?? 'fatal'
}

/** The error that an answer's code means; `what` says what was tried, such as `fetch events-0`. */
export function kafkaError(code: number, what: string, detail?: string | null): MillraceError {
  const { name, meaning } = describeErrorCode(code)
  const message = `${what}: the broker answers ${name} (${code})${detail ? `, ${detail}` : ''}`
  const reaction = reactionTo(code)
  if (reaction === 'retry' || reaction === 'refresh') {
    return new MillraceError('unavailable', message, {
      hint: 'it may pass: try again, and look at the state of the broker',
    })
  }
  const known = ADVICE[code]
  return new MillraceError(known?.code ?? 'unsupported', message, { hint: known?.hint ?? meaning })
}

const REACTIONS: Readonly<Record<number, Reaction>> = {
  5: 'refresh',
  6: 'refresh',
  7: 'retry',
  8: 'refresh',
  9: 'refresh',
  13: 'refresh',
  14: 'retry',
  15: 'refresh',
  16: 'refresh',
  19: 'retry',
  20: 'retry',
  41: 'refresh',
  47: 'fenced',
  51: 'retry',
  56: 'refresh',
  74: 'refresh',
  75: 'refresh',
  76: 'refresh',
  78: 'retry',
  89: 'retry',
  90: 'fenced',
}

const NO_RIGHT = {
  code: 'invalid-option',
  hint: 'give the user the right to do this (kafka-acls), or use another user',
} as const
const NO_LOGIN = {
  code: 'invalid-option',
  hint: 'check KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and KAFKA_SASL_MECHANISM',
} as const
const OTHER_WRITER = {
  code: 'incompatible-state',
  hint: 'another process writes under the same transactional id: only one may run for each pipeline and sink',
} as const

const LOST_TRANSACTION = {
  code: 'incompatible-state',
  hint: 'the broker has given the transaction up: begin it anew',
} as const

const ADVICE: Readonly<Record<number, { readonly code: ErrorCode; readonly hint: string }>> = {
  2: {
    code: 'corrupt-data',
    hint: 'the bytes were damaged on their way or on the disk: try again, then look at the log of the broker',
  },
  3: { code: 'invalid-option', hint: 'see what is there with "millrace topics list"' },
  10: { code: 'invalid-option', hint: 'make batches smaller (--batch-bytes), or raise max.message.bytes of the topic' },
  17: { code: 'invalid-option', hint: 'use 1 to 249 letters, digits, dots, underscores and hyphens' },
  18: { code: 'invalid-option', hint: 'make batches smaller (--batch-bytes), or raise segment.bytes of the topic' },
  29: NO_RIGHT,
  30: NO_RIGHT,
  31: NO_RIGHT,
  32: { code: 'invalid-option', hint: 'the clocks of this machine and the broker differ: set them' },
  33: { code: 'invalid-option', hint: 'set KAFKA_SASL_MECHANISM to one that the broker has enabled' },
  34: {
    code: 'invalid-option',
    hint: 'this port wants no password: leave out KAFKA_SECURITY_PROTOCOL, or use the port that does',
  },
  37: { code: 'invalid-option', hint: 'choose another number of partitions' },
  38: { code: 'invalid-option', hint: 'there are fewer brokers than copies asked for' },
  40: { code: 'invalid-option', hint: 'the broker does not take a setting of the topic' },
  44: { code: 'invalid-option', hint: 'the rules of the cluster forbid it: ask who runs it' },
  45: {
    code: 'data-loss',
    hint: 'the broker has lost what it had acknowledged, or another process writes as this one: look at the log of the broker',
  },
  47: OTHER_WRITER,
  48: LOST_TRANSACTION,
  49: LOST_TRANSACTION,
  53: NO_RIGHT,
  58: NO_LOGIN,
  90: OTHER_WRITER,
  100: { code: 'data-loss', hint: 'the topic was deleted, and maybe created anew: start over, or read another topic' },
  120: LOST_TRANSACTION,
  103: { code: 'data-loss', hint: 'the topic was deleted, and maybe created anew: start over, or read another topic' },
}
