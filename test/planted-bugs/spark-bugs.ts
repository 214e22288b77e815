import { edit, type PlantedBug } from './planted-bug.ts'

/** Bugs in what makes queries of Spark out of plans, and in what brings their rows into tables. */
export const SPARK_BUGS: readonly PlantedBug[] = [
  {
    name: 'on Spark a session ends two gaps late',
    file: 'src/spark/compile.ts',
    edits: [edit(".end - INTERVAL '", ".end + INTERVAL '")],
    caughtBy: 'test/integration/spark-verify.test.ts',
  },
  {
    name: 'on Spark whole numbers grow beyond what is exact',
    file: 'src/spark/sql.ts',
    edits: [
      edit("case 'int64':\n      return only(", "case 'int64':\n      return ((one: string, _: string) => one)("),
    ],
    caughtBy: 'test/integration/spark-expression.test.ts',
  },
  {
    name: 'on Spark the smallest whole number of 32 bits ends a query that negates it',
    file: 'src/spark/call-sql.ts',
    edits: [edit('wide(node.operands[0] as Expression, write)', 'first')],
    caughtBy: 'test/integration/spark-expression.test.ts',
  },
  {
    name: 'another plan takes over the state that is in a checkpoint of Spark',
    file: 'src/spark/write-stream.ts',
    edits: [edit('source, query: queryIdentity(query) })', 'source })')],
    caughtBy: 'src/spark/describe.test.ts',
  },
  {
    name: 'nobody is told that Spark finds repeats over all partitions',
    file: 'src/spark/capability.ts',
    edits: [edit('!queryChain(this.#query.root).source.keyed)', 'false)')],
    caughtBy: 'src/spark/capability.test.ts',
  },
  {
    name: 'a relay begins anew after a restart',
    file: 'src/cli/spark/relay.ts',
    edits: [edit('this.#nextBatch = mark?.epoch ?? 0', 'this.#nextBatch = 0')],
    caughtBy: 'test/integration/spark-recovery.test.ts',
  },
  {
    name: 'a server of Spark that is back is not given its queries again',
    file: 'src/spark/run.ts',
    edits: [edit("if (!(error instanceof SparkError) || error.loss === 'nothing') throw error", 'throw error')],
    caughtBy: 'test/integration/spark-recovery.test.ts',
  },
  {
    name: 'a new session on a server of Spark takes the connection of the old one',
    file: 'src/spark/connect.ts',
    edits: [edit("'grpc.use_local_subchannel_pool': 1", "'grpc.use_local_subchannel_pool': 0")],
    caughtBy: 'src/spark/connect.test.ts',
  },
  {
    name: 'a relay leaves out rows that no column can hold',
    file: 'src/cli/spark/relayed-rows.ts',
    edits: [edit('      assertAllFine(batch, fields, file)\n', '')],
    caughtBy: 'src/cli/spark/relayed-rows.test.ts',
  },
  {
    name: 'Spark puts settings of its server into texts',
    file: 'src/spark/run.ts',
    edits: [edit("'spark.sql.variable.substitute': 'false'", "'spark.sql.variable.substitute': 'true'")],
    caughtBy: 'test/integration/spark-documents.test.ts',
  },
  {
    name: 'half a surrogate pair is no reason for Spark to refuse an event',
    file: 'src/spark/source-rows.ts',
    edits: [edit('sqlText(PAIRED)', "sqlText('')")],
    caughtBy: 'test/integration/spark-documents.test.ts',
  },
]
