import { assert } from '../../../src/base/assert.ts'
import { encodeText } from '../../../src/base/bytes.ts'
import type { Batch } from '../../../src/batch/batch.ts'
import type { EncodedRecords } from '../../../src/batch/encoded-records.ts'
import type { Decoder } from '../../../src/batch/json-decoder.ts'
import { createScalarDecoder } from '../../../src/batch/scalar-decoder.ts'
import type { EngineOptions } from '../../../src/engine/engine.ts'
import type { EpochResults, IdleFlag } from '../../../src/engine/epoch.ts'
import { createEngine } from '../../../src/engine/pipeline.ts'
import type { EpochRunner } from '../../../src/job/epoch-runner.ts'
import { LocalRunner } from '../../../src/job/local-runner.ts'
import { ParallelRunner } from '../../../src/job/parallel-runner.ts'
import type { OutputMode } from '../../../src/plan/connectors.ts'
import type { PipelinePlan } from '../../../src/plan/node.ts'
import { InThreadWorker } from './in-thread-worker.ts'

/** How an engine is driven; none of it may change what it computes. */
export interface BenchOptions {
  readonly partitions: number
  readonly modes: readonly OutputMode[]
  /** Data workers. */
  readonly parallelism: number
  /** One call per row, the last row of a partition first, instead of one per partition. */
  readonly rowByRow: boolean
  /** Taken off every time that the decoder gives: it reads no times before 1970. One worker only. */
  readonly shiftMs?: number
  /** Groups, sessions, ids or waiting rows that a query may hold; 100,000. */
  readonly groupsMax?: number
}

/** One epoch as a test writes it down: JSON lines per partition, and what else the plan says. */
export interface BenchEpoch {
  readonly lines: readonly (readonly string[])[]
  readonly clockMs: number
  readonly idle: readonly IdleFlag[]
  readonly ended: readonly number[]
  readonly flush: boolean
}

/** An engine on the bench: fed by a test instead of a job, killed and restored at will. */
export class EngineBench {
  readonly #plan: PipelinePlan
  readonly #options: BenchOptions
  readonly #positions: number[]
  #runner: EpochRunner
  #epoch = 0

  constructor(plan: PipelinePlan, options: BenchOptions) {
    this.#plan = plan
    this.#options = options
    this.#positions = new Array<number>(options.partitions).fill(0)
    this.#runner = this.#newRunner()
    this.#addPartitions()
  }

  get engine(): EpochRunner {
    return this.#runner
  }

  /** Offset of the next row of a partition. */
  position(partition: number): number {
    return this.#positions[partition] as number
  }

  async run({ lines, clockMs, idle, ended, flush }: BenchEpoch): Promise<EpochResults> {
    this.#epoch++
    const ranges = lines.flatMap((own, partition) => {
      const from = this.position(partition)
      return own.length > 0 ? [{ partition, from, to: from + own.length }] : []
    })
    const records = ranges.map(({ partition, from, to }) => {
      this.#positions[partition] = to
      const own = lines[partition] as readonly string[]
      if (!this.#options.rowByRow) return [encoded(own, from)]
      return own.map((line, index) => encoded([line], from + index)).reverse()
    })
    const plan = { epoch: this.#epoch, previous: this.#epoch - 1, clockMs, ranges, idle, ended, flush }
    return this.#runner.compute(plan, records)
  }

  /** The process dies: what goes on is a new engine, with new dictionaries, from the state of the old one. */
  async restart(): Promise<void> {
    const state = await this.#runner.snapshot()
    this.#runner = this.#newRunner()
    await this.#runner.restore(state)
    this.#addPartitions()
    assert(
      Buffer.from(await this.#runner.snapshot()).equals(state),
      'a restored engine saves what it was restored from',
    )
  }

  #addPartitions(): void {
    this.#runner.addPartitions(this.#positions.map((_, index) => `p${index}`))
  }

  #newRunner(): EpochRunner {
    const options: EngineOptions = {
      hashKey: [1, 2],
      advanceWhenIdle: false,
      extraModes: this.#options.modes,
      groupsMax: this.#options.groupsMax ?? 100_000,
    }
    const limits = { hashSeed: 7, dictionaryEntriesMax: 1_000 }
    const { parallelism, shiftMs = 0 } = this.#options
    if (parallelism > 1) {
      assert(shiftMs === 0, 'times are shifted with one worker only')
      const decoder = { module: undefined, knownMembers: [], ...limits }
      return new ParallelRunner(this.#plan, options, decoder, parallelism, (start) => new InThreadWorker(start))
    }
    const engine = createEngine(this.#plan, options)
    const decoder = createScalarDecoder({ fields: engine.fields, knownMembers: new Set(), ...limits })
    return new LocalRunner(engine, shiftMs === 0 ? decoder : shifted(decoder, shiftMs))
  }
}

function shifted(decoder: Decoder, shiftMs: number): Decoder {
  const shift = (batch: Batch): Batch => ({
    ...batch,
    columns: batch.columns.map((column, index) =>
      column.kind === 'number' && batch.fields[index]?.type === 'timestamp'
        ? { kind: 'number', values: column.values.map((timeMs) => timeMs - shiftMs) }
        : column,
    ),
  })
  return { fields: decoder.fields, decode: (records, from, to) => shift(decoder.decode(records, from, to)) }
}

function encoded(lines: readonly string[], baseOffset: number): EncodedRecords {
  return {
    framing: 'newline',
    bytes: encodeText(lines.map((line) => `${line}\n`).join('')),
    baseOffset,
    endOffset: baseOffset + lines.length,
    recordCount: lines.length,
    baseTimestamp: Number.NaN,
  }
}
