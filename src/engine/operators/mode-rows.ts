import { ByteWriter } from '../../base/bytes.ts'
import type { Field } from '../../batch/schema.ts'
import type { OutputMode } from '../../plan/connectors.ts'
import type { AggregateNode } from '../../plan/node.ts'
import type { OperatorResults } from '../operator.ts'
import { ResultRows } from './result-rows.ts'

/** An operator's rows of one epoch in each mode that was asked for. */
export class ModeRows {
  readonly append: ResultRows | undefined
  readonly update: ResultRows | undefined
  readonly complete: ResultRows | undefined

  constructor(options: ModeRowsOptions, epoch: number) {
    const { modes, resultFields, node } = options
    if (modes.includes('append')) this.append = new ResultRows(resultFields, node, epoch)
    if (modes.includes('update')) this.update = new ResultRows(resultFields, node, epoch, new ByteWriter(256))
    if (modes.includes('complete')) this.complete = new ResultRows(resultFields, node, epoch)
  }

  finish(): OperatorResults {
    return {
      ...(this.append && { append: this.append.finish() }),
      ...(this.update && { update: this.update.finish() }),
      ...(this.complete && { complete: this.complete.finish() }),
    }
  }
}

/** What rows are made of. */
export interface ModeRowsOptions {
  readonly modes: readonly OutputMode[]
  readonly resultFields: readonly Field[]
  readonly node: AggregateNode
}
