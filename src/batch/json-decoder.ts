import type { Batch } from './batch.ts'
import type { EncodedRecords } from './encoded-records.ts'
import type { Field } from './schema.ts'

/**
 * Turns JSON records into columns. Several implementations keep this one contract: `scalar-decoder.ts` (plain TypeScript),
 * and, in tests, an oracle on top of `JSON.parse`. The same bytes give the same rows, statuses and errors in each.
 */
export interface Decoder {
  /** The fields it fills, in order: the columns of every batch. */
  readonly fields: readonly Field[]
  /**
   * Decodes the records with `fromOffset <= offset < toOffset`. Never throws on any bytes: a bad record becomes a row
   * with a status. The batch is reused by the next call.
   */
  decode(records: EncodedRecords, fromOffset?: number, toOffset?: number): Batch
}

/** What a decoder is made of; `fields` are the selected ones of a schema. Pure: hash seeds come from outside. */
export interface DecoderOptions {
  readonly fields: readonly Field[]
  /**
   * Every member that the whole schema knows, so that `json({ rest: true })` collects only the unknown ones. The name of that
   * column itself does not count: a member called so is one of the rest.
   */
  readonly knownMembers: ReadonlySet<string>
  /** Seeds the dictionaries' hashes, so that nobody outside can build collisions. */
  readonly hashSeed: number
  /** Values a dictionary holds before it begins a new generation. */
  readonly dictionaryEntriesMax: number
}
