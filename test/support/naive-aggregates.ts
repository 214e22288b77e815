import { hashHigh, hashLow, xxhash64 } from '../../src/base/xxhash64.ts'
import {
  type AggregateSpec,
  approxCountDistinct,
  avg,
  col,
  count,
  countDistinct,
  eq,
  first,
  last,
  max,
  min,
  quantile,
  span,
  sum,
  topK,
} from '../../src/index.ts'
import { exactTotal, halfUp } from './exact-number.ts'

/** An event as the laws see it: money in cents, with the place that it was read from. */
export interface PlacedEvent {
  readonly ts: number
  readonly partition: number
  readonly offset: number
  readonly page: string | null
  readonly user: string | null
  readonly cents: number | null
  readonly n: number | null
  readonly x: number | null
  readonly flag: boolean | null
  readonly id: string | null
  readonly seen: number | null
}

type Rows = readonly PlacedEvent[]
type Column = Exclude<keyof PlacedEvent, 'ts' | 'partition' | 'offset'>
type Value = string | number | boolean

/** Every aggregate, over every type that it takes, with what its definition gives. Shares nothing with the engine but the hash. */
export const NAIVE_AGGREGATES: Readonly<Record<string, readonly [AggregateSpec<never>, (rows: Rows) => unknown]>> = {
  rows: [count() as AggregateSpec<never>, (rows) => rows.length],
  homes: [
    count().where(eq(col('user'), 'u1')) as AggregateSpec<never>,
    (rows) => rows.filter(({ user }) => user === 'u1').length,
  ],
  ...overColumns(['user', 'id', 'flag', 'n', 'x', 'cents', 'seen'], {
    distinct: [countDistinct, distinct],
    approx: [approxCountDistinct, estimated],
    first: [first, (rows, column) => placed(rows, column).at(0) ?? null],
    last: [last, (rows, column) => placed(rows, column).at(-1) ?? null],
    top: [(column) => topK(column, 2), top],
  }),
  ...overColumns(['user', 'n', 'x', 'cents', 'seen'], {
    min: [min, (rows, column) => sorted(rows, column).at(0) ?? null],
    max: [max, (rows, column) => sorted(rows, column).at(-1) ?? null],
  }),
  ...overColumns(['n', 'x', 'cents'], {
    sum: [sum, total],
    avg: [avg, mean],
    quantile_0: [(column) => quantile(column, 0), ranked(0)],
    quantile_50: [(column) => quantile(column, 0.5), ranked(0.5)],
    quantile_99: [(column) => quantile(column, 0.99), ranked(0.99)],
  }),
  ...overColumns(['seen'], { span: [span, spanned] }),
  last_home: [
    last('n').where(eq(col('user'), 'u1')) as AggregateSpec<never>,
    (rows) =>
      placed(
        rows.filter(({ user }) => user === 'u1'),
        'n',
      ).at(-1) ?? null,
  ],
}

type Kinds = Readonly<
  Record<string, readonly [(column: never) => AggregateSpec, (rows: Rows, column: Column) => unknown]>
>

function overColumns(columns: readonly Column[], kinds: Kinds): typeof NAIVE_AGGREGATES {
  const entries = columns.flatMap((column) =>
    Object.entries(kinds).map(([kind, [make, naive]]) => {
      const spec = make((column === 'cents' ? 'amount' : column) as never) as AggregateSpec<never>
      return [`${kind}_${column}`, [spec, (rows: Rows) => naive(rows, column)]] as const
    }),
  )
  return Object.fromEntries(entries)
}

/** Values that are not null, in the order of (event time, partition, offset). */
function placed(rows: Rows, column: Column): Value[] {
  return [...rows]
    .sort((a, b) => a.ts - b.ts || a.partition - b.partition || a.offset - b.offset)
    .map((row) => shown(row, column))
    .filter((value) => value !== null)
}

/** As a result shows it. */
function shown(row: PlacedEvent, column: Column): Value | null {
  const value = row[column]
  if (column === 'cents' && value !== null) return (value as number) / 100
  return value === 0 ? 0 : value
}

function sorted(rows: Rows, column: Column): Value[] {
  return placed(rows, column).sort((a, b) =>
    typeof a === 'string' ? Buffer.compare(Buffer.from(a), Buffer.from(b as string)) : Number(a) - Number(b),
  )
}

function spanned(rows: Rows, column: Column): number | null {
  const times = sorted(rows, column).map((time) => Math.floor((time as number) / 1000))
  return times.length === 0 ? null : (times.at(-1) as number) - (times[0] as number)
}

function distinct(rows: Rows, column: Column): number {
  return new Set(placed(rows, column)).size
}

/** HyperLogLog by its definition: as long as most registers are empty, their number alone is counted (linear counting). */
function estimated(rows: Rows, column: Column): number {
  const registers = 512
  const hit = new Set(placed(rows, column).map((value) => hashOf(value, column) >> 55n))
  return Math.floor(registers * Math.log(registers / (registers - hit.size)) + 0.5)
}

/** Of the value as Spark keeps it: 4 bytes of a boolean or an int32, 8 of the larger numbers, cents unscaled, times in microseconds. */
function hashOf(value: Value, column: Column): bigint {
  const bytes = Buffer.alloc(8)
  if (column === 'flag' || column === 'n') bytes.writeInt32LE(Number(value))
  else if (column === 'x') bytes.writeDoubleLE(value as number)
  else if (column === 'cents') bytes.writeBigInt64LE(BigInt(Math.round((value as number) * 100)))
  else if (column === 'seen') bytes.writeBigInt64LE(BigInt(value as number) * 1_000n)
  if (column === 'flag' || column === 'n') return hash64(bytes.subarray(0, 4))
  if (column === 'user') return hash64(Buffer.from(value as string))
  return hash64(column === 'id' ? Buffer.from((value as string).replaceAll('-', ''), 'hex') : bytes)
}

function hash64(bytes: Uint8Array): bigint {
  xxhash64(bytes, 0, bytes.length, 42)
  return (BigInt(hashHigh >>> 0) << 32n) | BigInt(hashLow >>> 0)
}

function top(rows: Rows, column: Column): string {
  const counts = new Map<Value, number>()
  for (const value of sorted(rows, column)) counts.set(value, (counts.get(value) ?? 0) + 1)
  const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, 2)
  const text = (value: Value): string => {
    if (column === 'cents') return (value as number).toFixed(2)
    return JSON.stringify(column === 'seen' ? new Date(value as number).toISOString() : value)
  }
  return `[${most.map(([value, times]) => `{"value":${text(value)},"count":${times}}`).join(',')}]`
}

function total(rows: Rows, column: Column): number | null {
  const values = rows.map((row) => row[column] as number | null).filter((value) => value !== null)
  if (values.length === 0) return null
  return column === 'cents' ? exactTotal(values) / 100 : exactTotal(values)
}

function mean(rows: Rows, column: Column): number | null {
  const values = rows.map((row) => row[column] as number | null).filter((value) => value !== null)
  if (values.length === 0) return null
  if (column !== 'cents') return exactTotal(values) / values.length
  return Number(halfUp(BigInt(exactTotal(values)) * 10_000n, BigInt(values.length))) / 1e6
}

function ranked(q: number): (rows: Rows, column: Column) => unknown {
  return (rows, column) => {
    const values = sorted(rows, column)
    return values.length === 0 ? null : values[Math.floor(q * (values.length - 1))]
  }
}
