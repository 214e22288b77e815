import type { Field } from '../../batch/schema.ts'
import type { DatedRow, ResultRow } from './replay.ts'

/** How the rows of a query on both engines compare. */
export interface Comparison {
  readonly rows: number
  readonly equal: number
  /** The first row, by its key, that is not the same on both; undefined when all are. */
  readonly first: Difference | undefined
}

/** A window and key whose rows differ. On one side there may be none. */
export interface Difference {
  readonly key: ResultRow
  readonly here: DatedRow | undefined
  readonly spark: DatedRow | undefined
  /** Columns with different values; empty when one side has no row. */
  readonly columns: readonly string[]
}

/** Doubles that were added up in another order differ by so much at most, relatively. */
const TOLERANCE = 1e-12

/** Compares rows by their key. A key that comes twice on one side is a difference by itself. */
export function compareRows(
  here: readonly DatedRow[],
  spark: readonly DatedRow[],
  fields: readonly Field[],
  keyColumns: readonly string[],
): Comparison {
  const [left, right] = [byKey(here, keyColumns), byKey(spark, keyColumns)]
  let equal = 0
  let first: Difference | undefined
  for (const key of [...new Set([...left.keys(), ...right.keys()])].sort()) {
    const difference = differenceOf(left.get(key), right.get(key), fields, keyColumns)
    if (difference) first ??= difference
    else equal++
  }
  return { rows: new Set([...left.keys(), ...right.keys()]).size, equal, first }
}

function byKey(rows: readonly DatedRow[], keyColumns: readonly string[]): Map<string, DatedRow[]> {
  return Map.groupBy(rows, ({ row }) => JSON.stringify(keyColumns.map((name) => row[name] ?? null)))
}

function differenceOf(
  here: readonly DatedRow[] | undefined,
  spark: readonly DatedRow[] | undefined,
  fields: readonly Field[],
  keyColumns: readonly string[],
): Difference | undefined {
  const [mine, theirs] = [here?.[0], spark?.[0]]
  const columns = mine && theirs ? fields.filter((field) => !same(field, mine.row, theirs.row)) : []
  const paired = here?.length === 1 && spark?.length === 1
  if (paired && columns.length === 0) return undefined
  const row = mine?.row ?? theirs?.row ?? {}
  const key = Object.fromEntries(keyColumns.map((name) => [name, row[name] ?? null]))
  // Of a key that came again, the second row says more.
  return {
    key,
    here: here && here.length > 1 ? here[1] : mine,
    spark: spark && spark.length > 1 ? spark[1] : theirs,
    columns: columns.map(({ name }) => name),
  }
}

function same({ name, type }: Field, left: ResultRow, right: ResultRow): boolean {
  const [one, other] = [left[name] ?? null, right[name] ?? null]
  if (type !== 'float64' || typeof one !== 'number' || typeof other !== 'number') return one === other
  return Math.abs(one - other) <= TOLERANCE * Math.max(Math.abs(one), Math.abs(other))
}
