/**
 * A stretch of one partition's records as bytes, on its way from a source to the decoder.
 * The bytes belong to whoever made it and stay untouched until they are released.
 */
export interface EncodedRecords {
  /**
   * `records`: the uncompressed records section of a Kafka record batch v2, from its first record on;
   * `newline`: lines, each ended by LF (the last one may lack it), CR before LF is not part of a line.
   */
  readonly framing: 'records' | 'newline'
  readonly bytes: Uint8Array
  /** Offset of the first record. Lines are numbered one by one; records carry their own distance to it. */
  readonly baseOffset: number
  /** Offset right behind the last record. */
  readonly endOffset: number
  readonly recordCount: number
  /** `records`: what record timestamps are relative to, in ms. `newline`: NaN, there are none. */
  readonly baseTimestamp: number
  /** Set when the log stamped the records on arrival: every record then has this timestamp. */
  readonly appendTimestamp?: number
  /** Gives the bytes back to whoever made them, for use again: nobody may look at them afterwards. Nobody has to call it. */
  readonly release?: () => void
}
