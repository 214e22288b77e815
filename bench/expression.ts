import assert from 'node:assert/strict'
import type { Batch } from '../src/batch/batch.ts'
import { createScalarDecoder } from '../src/batch/scalar-decoder.ts'
import { compileExpression } from '../src/engine/expression/compile.ts'
import { generateInto } from '../src/generator/load.ts'
import { DEFAULT_SETTINGS } from '../src/generator/settings.ts'
import {
  add,
  and,
  clickEvent,
  clickEventFields,
  col,
  concat,
  defineSchema,
  type Expression,
  eq,
  gt,
  hourOf,
  isIn,
  lower,
  mul,
  text,
  urlPath,
} from '../src/index.ts'
import { MemoryLog } from '../src/log/memory-log.ts'
import type { Bench } from './support/bench.ts'
import { type Contender, measure, resultOf } from './support/measure.ts'

const TOPIC = 'events'
/** A record batch as the generator makes them has fewer rows; the first one is taken. */
const ROWS = 10_000
const ROUNDS = 500

/** The same page column without a dictionary, to see what that saves. */
const byRow = defineSchema({ ...clickEventFields, page_url: text({ cardinality: 'unique' }) })

/** Expressions by themselves, over decoded batches: per code, over numbers, over several columns, row by row. */
export const bench: Bench = {
  name: 'expression',
  summary: 'compiled expressions over decoded batches of generated events',
  async run() {
    const batch = await decoded(clickEvent)
    const plain = await decoded(byRow)
    const page = lower(urlPath(col('page_url')))
    const contenders = [
      contender("event_type = 'purchase'", eq(col('event_type'), 'purchase'), batch),
      contender('amount > 12.5', gt(col('amount'), 12.5), batch),
      contender(
        'both, and country in a list',
        and(eq(col('event_type'), 'purchase'), gt(col('amount'), 12.5), isIn(col('country'), ['DE', 'FR'])),
        batch,
      ),
      contender('amount * 1.19 + price', add(mul(col('amount'), 1.19), col('price')), batch),
      contender('hour in a zone', hourOf(col('event_time'), 'Europe/Paris'), batch),
      contender('lower(url_path(page)), per code', page, batch),
      contender('concat of two columns', concat(col('country'), '-', col('device')), batch),
      contender('lower(url_path(page)), by row', page, plain),
    ]
    const measured = await measure(contenders)
    return measured.map((one) => resultOf({ name: one.name, data: 'generated' }, one))
  },
}

async function decoded(schema: typeof clickEvent): Promise<Batch> {
  const log = new MemoryLog()
  await generateInto(log, TOPIC, { ...DEFAULT_SETTINGS, partitions: 1 }, { pace: 'flat-out', rows: ROWS })
  const decoder = createScalarDecoder({
    fields: schema.fields,
    knownMembers: new Set(schema.fields.map((field) => field.from ?? field.name)),
    hashSeed: 1,
    dictionaryEntriesMax: 1 << 20,
  })
  const [records] = await log.read(TOPIC, 0, 0, 64 << 20)
  assert.ok(records)
  return decoder.decode(records)
}

function contender(name: string, node: Expression, batch: Batch): Contender {
  const evaluate = compileExpression(node, batch.fields, 1)
  return {
    name,
    run() {
      for (let round = 0; round < ROUNDS; round++) evaluate(batch)
      return ROUNDS * batch.rowCount
    },
  }
}
