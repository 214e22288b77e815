import { encodeText } from '../../src/base/bytes.ts'
import { endTransaction } from '../../src/log/kafka/end-transaction.ts'
import type { KafkaLog } from '../../src/log/kafka/kafka-log.ts'
import { produce } from '../../src/log/kafka/produce.ts'
import { leaderOf } from '../../src/log/kafka/topics.ts'
import { initProducerId } from '../../src/log/kafka/wire.ts'
import { encodeProducedHeader } from '../../src/log/record-batch.ts'
import { RecordBatchBuilder } from '../../src/log/record-batch-builder.ts'

/** A transaction that some other program has open: its records are in the log, and nobody knows yet whether they count. */
export interface OpenTransaction {
  write(...values: string[]): Promise<void>
  end(commit: boolean): Promise<void>
}

/** The broker waits longer for its end than any test does. */
const TIMEOUT_MS = 600_000

/** Begins a transaction that writes to one partition. */
export async function openTransaction(
  log: KafkaLog,
  id: string,
  topic: string,
  partition = 0,
): Promise<OpenTransaction> {
  const coordinator = async (): ReturnType<KafkaLog['cluster']['coordinator']> => {
    for (;;) {
      const found = await log.cluster.coordinator('transaction', id).catch(() => undefined)
      if (found) return found
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const init = async (): ReturnType<typeof initProducerId> => {
    const answer = await initProducerId(await coordinator(), id, TIMEOUT_MS, -1n, -1)
    return RETRY.includes(answer.errorCode) ? init() : answer
  }
  const { producerId, producerEpoch } = await init()
  let baseSequence = 0
  const transaction: OpenTransaction = {
    async write(...values) {
      const found = await log.topics.get(topic)
      const builder = new RecordBatchBuilder(256)
      for (const value of values) builder.add(encodeText('key'), encodeText(value), Date.now())
      const draft = builder.finish()
      const producer = { producerId: Number(producerId), producerEpoch, baseSequence }
      const batch = { partition, header: encodeProducedHeader(draft, producer, true), records: draft.records }
      const connection = await log.cluster.connection(leaderOf(found, partition), 'produce')
      const [result] = await produce[12](connection, id, [{ name: topic, id: found.id, batches: [batch] }])
      if (result.errorCode === 51) return transaction.write(...values)
      if (result.errorCode !== 0) throw new Error(`produce answers ${result.errorCode}`)
      baseSequence += values.length
    },
    async end(commit) {
      const { errorCode } = await endTransaction[5](await coordinator(), id, producerId, producerEpoch, commit)
      if (errorCode !== 0) throw new Error(`EndTxn answers ${errorCode}`)
    },
  }
  return transaction
}

const RETRY: readonly number[] = [14, 15, 16, 51]
