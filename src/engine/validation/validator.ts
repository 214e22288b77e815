import { assert } from '../../base/assert.ts'
import type { Batch } from '../../batch/batch.ts'
import type { Field } from '../../batch/schema.ts'
import type { Rule } from '../../plan/rule.ts'
import { type CompiledRule, compileRule, requiredRule } from './rules.ts'

/** Checks rows against the required fields of the schema and the rules of a source. The first rule that a row breaks is the reason. */
export class Validator {
  readonly rules: readonly CompiledRule[]
  #broken = new Uint8Array(1024)

  constructor(fields: readonly Field[], rules: readonly Rule[]) {
    const required = fields
      .filter((field) => field.required)
      .map((field) => requiredRule(`${field.name}-required`, field.name, fields, undefined))
    this.rules = [...required, ...rules.map((rule) => compileRule(rule, fields))]
    assert(this.rules.length < 255, 'a rule has a number of one byte')
  }

  /** Per row: 0 when it keeps all rules, else 1 + the index of the rule that it breaks. Valid until the next call. */
  check(batch: Batch): Uint8Array {
    if (this.#broken.length < batch.rowCount) this.#broken = new Uint8Array(batch.rowCount * 2)
    const broken = this.#broken.fill(0, 0, batch.rowCount)
    for (const [index, rule] of this.rules.entries()) rule.check(batch, broken, index + 1)
    return broken
  }
}
