import type { PlantedBug } from './bugs.ts'

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
]

function edit(find: string, replace: string): { readonly find: string; readonly replace: string } {
  return { find, replace }
}
