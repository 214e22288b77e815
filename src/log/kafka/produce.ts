import { type Call, ownCall, type Reader, Writer } from './wire.ts'

/** A batch on its way: its header and its records, which stay two pieces. */
export interface ProducedBatch {
  readonly partition: number
  readonly header: Uint8Array
  readonly records: Uint8Array
}

/** Batches of one topic, by its name or, from version 13 on, its id. */
export interface ProducedTopic {
  readonly name: string
  readonly id: string
  readonly batches: readonly ProducedBatch[]
}

/** What became of a batch. */
export interface ProduceResult {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly baseOffset: number
  /** -1 when the records keep the time that they came with. */
  readonly appendTimestamp: number
  readonly message: string | null
}

type ProduceArguments = readonly [transactionalId: string | null, topics: readonly ProducedTopic[]]

/**
 * Sends batches and waits until every copy in sync has them. Version 12 has the bytes of 11, but a broker then adds the partition to the
 * transaction by itself; 13 names topics by their ids, so that a topic which was created anew is noticed.
 */
export const produce: Readonly<Record<11 | 12 | 13, Call<ProduceArguments, ProduceResult[]>>> = {
  11: produceCall(11),
  12: produceCall(12),
  13: produceCall(13),
}

const ALL_IN_SYNC = -1
const TIMEOUT_MS = 25_000

function produceCall(version: 11 | 12 | 13): Call<ProduceArguments, ProduceResult[]> {
  return ownCall(
    0,
    version,
    (transactionalId: string | null, topics: readonly ProducedTopic[]) =>
      Writer.create()
        .appendString(transactionalId)
        .appendInt16(ALL_IN_SYNC)
        .appendInt32(TIMEOUT_MS)
        .appendArray([...topics], (writer, { name, id, batches }) => {
          if (version === 13) writer.appendUUID(id)
          else writer.appendString(name)
          writer.appendArray([...batches], appendBatch)
        })
        .appendTaggedFields(),
    (_id, _key, _version, reader) => parseAnswer(reader, version === 13),
  )
}

function appendBatch(writer: Writer, { partition, header, records }: ProducedBatch): void {
  writer
    .appendInt32(partition)
    .appendUnsignedVarInt(header.length + records.length + 1)
    .append(bufferOf(header))
    .append(bufferOf(records))
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function parseAnswer(reader: Reader, byId: boolean): ProduceResult[] {
  const results: ProduceResult[] = []
  for (let topics = reader.readUnsignedVarInt() - 1; topics > 0; topics--) {
    const topic = byId ? reader.readUUID() : reader.readString()
    for (let count = reader.readUnsignedVarInt() - 1; count > 0; count--) {
      const partition = reader.readInt32()
      const errorCode = reader.readInt16()
      const baseOffset = Number(reader.readInt64())
      const appendTimestamp = Number(reader.readInt64())
      reader.readInt64() // log start
      for (let errors = reader.readUnsignedVarInt() - 1; errors > 0; errors--) {
        reader.readInt32()
        reader.readNullableString()
        reader.readTaggedFields()
      }
      const message = reader.readNullableString()
      reader.readTaggedFields()
      results.push({ topic, partition, errorCode, baseOffset, appendTimestamp, message })
    }
    reader.readTaggedFields()
  }
  return results
}
