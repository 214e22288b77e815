import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { tableFromIPC } from 'apache-arrow'
import type { Field } from '../../src/batch/schema.ts'
import { fileSource } from '../../src/plan/connectors.ts'
import { SparkSession } from '../../src/spark/connect.ts'
import { jsonRows } from '../../src/spark/encode.ts'
import type { Relation } from '../../src/spark/relation.ts'
import { parseRemote } from '../../src/spark/remote.ts'
import { sessionSettings } from '../../src/spark/run.ts'
import { sourceRows } from '../../src/spark/source-rows.ts'
import { everyType } from './random-expressions.ts'
import { temporaryFolder } from './run-millrace.ts'
import { testSpark } from './spark.ts'

/** A row by the names of its columns. */
export type SparkRow = Readonly<Record<string, unknown>>

/** A session over the events of some lines. */
export interface SparkRows {
  /** The rows of the lines, as queries get them, all at once. */
  readonly events: Relation
  ask(rows: Relation, types: readonly Field[]): Promise<SparkRow[]>
}

/** Has Spark read lines from a file, as a query of these fields does. */
export async function openSparkRows(
  t: TestContext,
  lines: readonly string[],
  fields: readonly Field[],
): Promise<SparkRows> {
  const file = join(await temporaryFolder(t), 'documents.ndjson')
  await writeFile(file, lines.map((line) => `${line}\n`).join(''))
  const source = { kind: 'source', source: fileSource(file), schema: { ...everyType, fields }, rules: [] } as never
  const events = JSON.parse(
    JSON.stringify(sourceRows(source, fields, {})).replace('"is_streaming":true', '"is_streaming":false'),
  ) as Relation
  const session = await SparkSession.open(parseRemote(await testSpark(), {}))
  t.after(async () => {
    await session.release()
    session.close()
  })
  await session.configure(sessionSettings(1))
  return {
    events,
    async ask(rows, types) {
      const pieces = await session.collect(jsonRows(rows, types))
      const texts = pieces.flatMap((piece) => [...tableFromIPC(piece)].map((row) => String(row['value'])))
      return texts.map((text) => JSON.parse(text) as SparkRow)
    },
  }
}
