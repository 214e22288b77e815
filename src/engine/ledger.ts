import type { Batch } from '../batch/batch.ts'
import { RowStatus, rowErrorText } from '../batch/batch.ts'
import { FATES, type Fate, leavesDeadLetter } from '../plan/fate.ts'
import { DEAD_LETTER_BYTES_MAX, type DeadLetter, type LedgerEntry, type MissedWindow } from './epoch.ts'

/** Fates by number, in the order in which they are decided: over several queries, the largest one wins. */
export const FateCode = {
  malformed: 0,
  invalid: 1,
  filtered: 2,
  future: 3,
  expired: 4,
  duplicate: 5,
  late: 6,
  accepted: 7,
} as const

/** Why a row was not accepted. */
export interface Refusal {
  readonly rule: string
  readonly reason: string
  readonly watermarkMs: number
  readonly windowsMissed: readonly MissedWindow[]
}

/** Counts what becomes of each row of an epoch, and keeps those that were not accepted. */
export class Ledger {
  readonly #rows = new Map<string, { partition: number; fate: Fate; rule: string; rows: number }>()
  readonly #deadLetters: DeadLetter[] = []
  #rowsRead = 0

  get rowsRead(): number {
    return this.#rowsRead
  }

  get deadLetters(): readonly DeadLetter[] {
    return this.#deadLetters
  }

  /** Takes in the fates of a batch, one code a row; `refusal` is asked about each row that leaves a dead letter. */
  record(partition: number, batch: Batch, fates: Uint8Array, refusal: (row: number) => Refusal): void {
    this.#rowsRead += batch.rowCount
    let accepted = 0
    let filtered = 0
    for (let row = 0; row < batch.rowCount; row++) {
      const code = fates[row] as number
      if (code === FateCode.accepted) accepted++
      else if (code === FateCode.filtered) filtered++
      else this.#refuse(partition, batch, row, FATES[code] as Fate, refusal(row))
    }
    this.#count(partition, 'accepted', '', accepted)
    this.#count(partition, 'filtered', '', filtered)
  }

  entries(): LedgerEntry[] {
    return [...this.#rows.values()].sort((left, right) => left.partition - right.partition || compare(left, right))
  }

  #refuse(partition: number, batch: Batch, row: number, fate: Fate, refusal: Refusal): void {
    const named = fate === 'invalid' || fate === 'malformed'
    this.#count(partition, fate, named ? refusal.rule : '', 1)
    if (!leavesDeadLetter(fate)) return
    const start = batch.valueStarts[row] as number
    const length = Math.min(batch.valueLengths[row] as number, DEAD_LETTER_BYTES_MAX)
    this.#deadLetters.push({
      partition,
      offset: batch.offsets[row] as number,
      fate,
      rule: refusal.rule,
      reason: refusal.reason,
      raw: batch.bytes.slice(start, start + length),
      watermarkMs: refusal.watermarkMs,
      windowsMissed: refusal.windowsMissed,
    })
  }

  #count(partition: number, fate: Fate, rule: string, rows: number): void {
    if (rows === 0) return
    const key = `${partition} ${fate} ${rule}`
    const entry = this.#rows.get(key)
    if (entry) entry.rows += rows
    else this.#rows.set(key, { partition, fate, rule, rows })
  }
}

/** Why the decoder refused a row: what counts as the rule, and the reason in words. */
export function decoderRefusal(batch: Batch, row: number): Pick<Refusal, 'rule' | 'reason'> {
  const text = rowErrorText(batch.error[row] as number)
  if (batch.status[row] === RowStatus.malformed) return { rule: text, reason: text }
  const field = batch.fields[batch.errorField[row] as number]?.name ?? '?'
  return { rule: `${field}-type`, reason: `"${field}": ${text}` }
}

function compare(left: { fate: Fate; rule: string }, right: { fate: Fate; rule: string }): number {
  if (left.fate !== right.fate) return left.fate < right.fate ? -1 : 1
  return left.rule < right.rule ? -1 : left.rule > right.rule ? 1 : 0
}
