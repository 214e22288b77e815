import type { PlantedBug } from './planted-bug.ts'

const KAFKA_SINK = 'test/integration/kafka-sink.test.ts'

/** Mistakes in reading and writing Kafka. Those of the sink need a broker to be seen. */
export const KAFKA_BUGS: readonly PlantedBug[] = [
  {
    name: 'a commit to Kafka is repeated without a look at the mark',
    file: 'src/sinks/kafka-sink.ts',
    edits: [{ find: '    if (this.#alreadyDone(epoch)) return\n', replace: '' }],
    caughtBy: KAFKA_SINK,
  },
  {
    name: 'the producer that came last writes, though a newer process has the sink',
    file: 'src/sinks/kafka-sink.ts',
    edits: [{ find: ' || mark.fence <= this.#fence) return\n', replace: ' || mark.fence !== -1) return\n' }],
    caughtBy: KAFKA_SINK,
  },
  {
    name: 'a sink waits for the transaction of the process that it replaces',
    file: 'src/sinks/kafka-sink.ts',
    edits: [{ find: "await look('at-once')", replace: "await look('decided')" }],
    caughtBy: KAFKA_SINK,
  },
  {
    name: 'a mark is overlooked whose transaction is just about to end',
    file: 'src/sinks/kafka-progress.ts',
    edits: [{ find: ' : ENDING_MS)', replace: ' : 0)' }],
    caughtBy: KAFKA_SINK,
  },
  {
    name: 'a mark counts though its transaction was given up',
    file: 'src/sinks/kafka-progress.ts',
    edits: [{ find: "if (transaction.ends === 'commit') this.#mark", replace: 'this.#mark' }],
    caughtBy: KAFKA_SINK,
  },
  {
    name: 'records of transactions that were given up are read',
    file: 'src/log/committed-records.ts',
    edits: [{ find: '|| !open.has(producerIdOf(batch))', replace: '|| producerIdOf(batch) >= 0n' }],
    caughtBy: 'src/log/committed-records.test.ts',
  },
  {
    name: 'memory is received into while somebody still reads it',
    file: 'src/log/frame-pool.ts',
    edits: [{ find: '    if (holders > 1) return\n', replace: '' }],
    caughtBy: 'src/log/frame-pool.test.ts',
  },
]
