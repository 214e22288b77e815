import { assert } from '../base/assert.ts'
import type { EpochResults } from '../engine/epoch.ts'
import { FATES, type Fate } from '../plan/fate.ts'
import type { PreparedOutput } from '../sinks/sink.ts'
import type { ReasonStatus } from './status.ts'

/** What one epoch adds to the totals; kept in the journal, so that a restarted job goes on counting where it stood. Plain JSON data. */
export interface EpochCounts {
  readonly rowsRead: number
  readonly bytesRead: number
  /** The event ledger of the epoch, over all partitions. */
  readonly ledger: readonly LedgerCount[]
  /** Rows given per query, by name. */
  readonly queryRows: readonly (readonly [string, number])[]
}

interface LedgerCount {
  readonly fate: Fate
  readonly rule: string
  readonly rows: number
}

/** Counts since the checkpoint was made. */
export class Totals {
  rowsRead = 0
  bytesRead = 0
  readonly #ledger = new Map<string, { fate: Fate; rule: string; rows: number }>()
  readonly #queryRows = new Map<string, number>()
  readonly #sinks = new Map<string, SinkTotals>()

  add(counts: EpochCounts): void {
    this.rowsRead += counts.rowsRead
    this.bytesRead += counts.bytesRead
    for (const { fate, rule, rows } of counts.ledger) this.#count(fate, rule, rows)
    for (const [query, rows] of counts.queryRows) this.#queryRows.set(query, this.queryRows(query) + rows)
  }

  addOutput(sink: string, output: PreparedOutput): void {
    const before = this.sink(sink)
    this.#sinks.set(sink, {
      rows: before.rows + output.rows,
      files: before.files + output.files.length,
      bytes: before.bytes + output.bytes,
    })
  }

  queryRows(query: string): number {
    return this.#queryRows.get(query) ?? 0
  }

  sink(name: string): SinkTotals {
    return this.#sinks.get(name) ?? { rows: 0, files: 0, bytes: 0 }
  }

  /** Rows per fate, all fates named. */
  fates(): Record<Fate, number> {
    const rows = Object.fromEntries(FATES.map((fate) => [fate, 0])) as Record<Fate, number>
    for (const entry of this.#ledger.values()) rows[entry.fate] += entry.rows
    return rows
  }

  /** Why rows were not accepted, most frequent first. */
  reasons(): ReasonStatus[] {
    return [...this.#ledger.values()]
      .filter((entry) => entry.fate !== 'accepted')
      .map((entry) => ({ ...entry }))
      .sort((left, right) => right.rows - left.rows || left.fate.localeCompare(right.fate))
  }

  toJson(): TotalsData {
    return {
      rowsRead: this.rowsRead,
      bytesRead: this.bytesRead,
      ledger: [...this.#ledger.values()],
      queryRows: [...this.#queryRows],
      sinks: [...this.#sinks],
    }
  }

  static fromJson(data: TotalsData): Totals {
    const totals = new Totals()
    totals.add(data)
    for (const [name, counts] of data.sinks) totals.#sinks.set(name, counts)
    return totals
  }

  #count(fate: Fate, rule: string, rows: number): void {
    const key = `${fate} ${rule}`
    const entry = this.#ledger.get(key)
    if (entry) entry.rows += rows
    else this.#ledger.set(key, { fate, rule, rows })
  }
}

interface SinkTotals {
  readonly rows: number
  readonly files: number
  readonly bytes: number
}

/** Totals as plain JSON data, for the snapshot. */
export interface TotalsData extends EpochCounts {
  readonly sinks: readonly (readonly [string, SinkTotals])[]
}

/** What an epoch adds to the totals. A query's rows are those of its append mode, else of the first mode it gives. */
export function epochCounts(results: EpochResults, queryNames: readonly string[], bytesRead: number): EpochCounts {
  const ledger = new Map<string, { fate: Fate; rule: string; rows: number }>()
  for (const { fate, rule, rows } of results.ledger) {
    const key = `${fate} ${rule}`
    const entry = ledger.get(key)
    if (entry) entry.rows += rows
    else ledger.set(key, { fate, rule, rows })
  }
  return {
    rowsRead: results.rowsRead,
    bytesRead,
    ledger: [...ledger.values()],
    queryRows: queryNames.map((name, index) => {
      const rows = results.queries[index]
      return [name, (rows?.append ?? rows?.update ?? rows?.complete)?.rowCount ?? 0] as const
    }),
  }
}

/** No row disappears: the job stops rather than go on with a wrong count. */
export function assertLedger(results: EpochResults): void {
  const rows = results.ledger.reduce((sum, entry) => sum + entry.rows, 0)
  assert(rows === results.rowsRead, `fates of epoch ${results.epoch} add up: ${rows} of ${results.rowsRead} rows read`)
}
