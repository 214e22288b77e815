import { type Call, ownCall, type Reader, writeFetchRequest } from './wire.ts'

/** What to fetch of a partition. */
export interface FetchWish {
  readonly partition: number
  readonly offset: number
  readonly leaderEpoch: number
  readonly bytesMax: number
}

/** How long to wait for how much. */
export interface FetchLimits {
  readonly waitMsMax: number
  readonly bytesMin: number
  readonly bytesMax: number
  /** Also records of transactions that are still open, or were given up. */
  readonly undecided?: boolean
}

/** What came of a partition. */
export interface FetchedPartition {
  readonly partition: number
  readonly errorCode: number
  /** Behind the last record that a reader of committed records may see; -1 with an error. */
  readonly stableOffset: number
  readonly logStart: number
  readonly aborted: readonly AbortedTransaction[]
  /** Record batches, the last one maybe cut off: a view of the received bytes. */
  readonly bytes: Uint8Array
}

/** A transaction whose records in this answer are void, from an offset up to its marker. */
export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
}

/** An answer; one partition's error hides nothing of the others. */
export interface FetchAnswer {
  readonly errorCode: number
  readonly partitions: readonly FetchedPartition[]
}

/** Fetches records of one topic by its id, committed ones unless told otherwise. Version 17, without a session. */
export const fetchRecords: Call<
  readonly [topicId: string, wishes: readonly FetchWish[], limits: FetchLimits],
  FetchAnswer
> = ownCall(1, 17, createRequest, parseAnswer)

const READ_UNCOMMITTED = 0
const READ_COMMITTED = 1
const NO_SESSION = { id: 0, epoch: -1 }
const NOTHING = new Uint8Array(0)

function createRequest(
  topicId: string,
  wishes: readonly FetchWish[],
  { waitMsMax, bytesMin, bytesMax, undecided }: FetchLimits,
): ReturnType<typeof writeFetchRequest> {
  const partitions = wishes.map((wish) => ({
    partition: wish.partition,
    currentLeaderEpoch: wish.leaderEpoch,
    fetchOffset: BigInt(wish.offset),
    lastFetchedEpoch: -1,
    partitionMaxBytes: wish.bytesMax,
  }))
  const topics = [{ topicId, partitions }]
  return writeFetchRequest(
    waitMsMax,
    bytesMin,
    bytesMax,
    undecided ? READ_UNCOMMITTED : READ_COMMITTED,
    NO_SESSION.id,
    NO_SESSION.epoch,
    topics,
    [],
    '',
  )
}

function parseAnswer(_id: number, _key: number, _version: number, reader: Reader): FetchAnswer {
  reader.readInt32() // throttle time
  const errorCode = reader.readInt16()
  reader.readInt32() // session
  const partitions: FetchedPartition[] = []
  for (let topics = reader.readUnsignedVarInt() - 1; topics > 0; topics--) {
    reader.readUUID()
    for (let count = reader.readUnsignedVarInt() - 1; count > 0; count--) partitions.push(parsePartition(reader))
    reader.readTaggedFields()
  }
  reader.readTaggedFields()
  return { errorCode, partitions }
}

function parsePartition(reader: Reader): FetchedPartition {
  const partition = reader.readInt32()
  const errorCode = reader.readInt16()
  reader.readInt64() // high watermark
  const stableOffset = Number(reader.readInt64())
  const logStart = Number(reader.readInt64())
  const aborted: AbortedTransaction[] = []
  for (let count = reader.readUnsignedVarInt() - 1; count > 0; count--) {
    aborted.push({ producerId: reader.readInt64(), firstOffset: Number(reader.readInt64()) })
    reader.readTaggedFields()
  }
  reader.readInt32() // preferred replica
  const length = reader.readUnsignedVarInt() - 1
  let bytes = NOTHING
  if (length > 0) {
    bytes = viewOf(reader, reader.position, length)
    reader.skip(length)
  }
  reader.readTaggedFields()
  return { partition, errorCode, stableOffset, logStart, aborted, bytes }
}

/** The answer lies in one buffer. */
function viewOf(reader: Reader, start: number, length: number): Uint8Array<ArrayBuffer> {
  const [frame] = reader.buffer.buffers
  return new Uint8Array(frame.buffer as ArrayBuffer, frame.byteOffset + start, length)
}
