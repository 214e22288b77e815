import { MillraceError } from '../base/error.ts'
import type { PartitionOffsets, RecordBatchDraft } from './log.ts'

/** The error for a topic or partition that is not there. */
export function unknownPartition(topic: string, partition?: number): MillraceError {
  const what = partition === undefined ? `topic ${topic}` : `partition ${partition} of topic ${topic}`
  return new MillraceError('invalid-option', `there is no ${what} in this log`, {
    hint: 'see what is there with "millrace topics list", or create it with "millrace topics create"',
  })
}

/** Throws `data-loss` unless the offset can be read from, or is the end. `what` names the partition. */
export function checkReadable(what: string, offset: number, offsets: PartitionOffsets): void {
  if (offset >= offsets.start && offset <= offsets.end) return
  if (offset < offsets.start) {
    throw new MillraceError('data-loss', `${what} begins at offset ${offsets.start}, offset ${offset} is gone`, {
      hint: 'retention removed it: keep more (retentionMs, retentionBytesMax), or start anew from the earliest offset',
    })
  }
  throw new MillraceError(
    'data-loss',
    `${what} ends at offset ${offsets.end}, offset ${offset} was never written or was lost`,
    {
      hint: 'start the process that writes this log, which recovers its tail; if that does not help, the log was replaced or lost its end',
    },
  )
}

/** Why a batch cannot go to where the partition ends; undefined when it can. `what` names the partition. */
export function misplaced(
  what: string,
  { baseOffset }: RecordBatchDraft,
  endOffset: number,
): MillraceError | undefined {
  if (baseOffset === undefined || baseOffset === endOffset) return undefined
  return new MillraceError(
    'incompatible-state',
    `${what} ends at offset ${endOffset}, a batch for offset ${baseOffset} does not fit there`,
    {
      hint: 'a batch before it was not appended, or somebody else writes to this topic: look where it ends and go on there',
    },
  )
}
