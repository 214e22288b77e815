import { type Call, ownCall, Writer } from './wire.ts'

/** How a transaction was ended. */
export interface TransactionEnd {
  readonly errorCode: number
  /** Version 5: who the producer is from now on, its numbers starting at 0 again. */
  readonly next?: { readonly producerId: bigint; readonly producerEpoch: number }
}

type EndArguments = readonly [transactionalId: string, producerId: bigint, producerEpoch: number, commit: boolean]

/** Ends a transaction: version 3 leaves the producer as it is, 5 (KIP-890) gives it a new epoch, which shuts out late batches of the old one. */
export const endTransaction: Readonly<Record<3 | 5, Call<EndArguments, TransactionEnd>>> = {
  3: endCall(3),
  5: endCall(5),
}

function endCall(version: 3 | 5): Call<EndArguments, TransactionEnd> {
  return ownCall(
    26,
    version,
    (transactionalId: string, producerId: bigint, producerEpoch: number, commit: boolean) =>
      Writer.create()
        .appendString(transactionalId)
        .appendInt64(producerId)
        .appendInt16(producerEpoch)
        .appendBoolean(commit)
        .appendTaggedFields(),
    (_id, _key, _version, reader) => {
      reader.readInt32() // throttle time
      const errorCode = reader.readInt16()
      if (version === 3) return { errorCode }
      return { errorCode, next: { producerId: reader.readInt64(), producerEpoch: reader.readInt16() } }
    },
  )
}
