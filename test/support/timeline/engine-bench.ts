import { assert } from '../../../src/base/assert.ts'
import { encodeText } from '../../../src/base/bytes.ts'
import type { EncodedRecords } from '../../../src/batch/encoded-records.ts'
import { createScalarDecoder } from '../../../src/batch/scalar-decoder.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import type { EpochResults, IdleFlag } from '../../../src/engine/epoch.ts'
import { createEngine } from '../../../src/engine/pipeline.ts'
import type { OutputMode } from '../../../src/plan/connectors.ts'
import type { PipelinePlan } from '../../../src/plan/node.ts'

/** How an engine is driven; none of it may change what it computes. */
export interface BenchOptions {
  readonly partitions: number
  readonly modes: readonly OutputMode[]
  /** Data workers; the engine has one. */
  readonly parallelism: number
  /** One call per row, the last row of a partition first, instead of one per partition. */
  readonly rowByRow: boolean
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
  #engine: Engine
  #decode: (records: EncodedRecords) => ReturnType<ReturnType<typeof createScalarDecoder>['decode']>
  #epoch = 0

  constructor(plan: PipelinePlan, options: BenchOptions) {
    assert(options.parallelism === 1, 'the engine has one worker')
    this.#plan = plan
    this.#options = options
    this.#positions = new Array<number>(options.partitions).fill(0)
    this.#engine = this.#newEngine()
    this.#decode = this.#newDecoder()
  }

  get engine(): Engine {
    return this.#engine
  }

  /** Offset of the next row of a partition. */
  position(partition: number): number {
    return this.#positions[partition] as number
  }

  run({ lines, clockMs, idle, ended, flush }: BenchEpoch): EpochResults {
    this.#epoch++
    const ranges = lines.flatMap((own, partition) => {
      const from = this.position(partition)
      return own.length > 0 ? [{ partition, from, to: from + own.length }] : []
    })
    this.#engine.beginEpoch({ epoch: this.#epoch, previous: this.#epoch - 1, clockMs, ranges, idle, ended, flush })
    for (const { partition, from, to } of ranges) {
      const own = lines[partition] as readonly string[]
      if (this.#options.rowByRow) {
        for (const [index, line] of [...own.entries()].reverse()) this.#feed(partition, [line], from + index)
      } else {
        this.#feed(partition, own, from)
      }
      this.#positions[partition] = to
    }
    return this.#engine.endEpoch()
  }

  /** The process dies: what goes on is a new engine, with new dictionaries, from the state of the old one. */
  restart(): void {
    const state = this.#engine.snapshot()
    this.#engine = this.#newEngine(state)
    this.#decode = this.#newDecoder()
    assert(Buffer.from(this.#engine.snapshot()).equals(state), 'a restored engine saves what it was restored from')
  }

  #feed(partition: number, lines: readonly string[], baseOffset: number): void {
    this.#engine.processBatch(partition, this.#decode(encoded(lines, baseOffset)))
  }

  #newEngine(state?: Uint8Array): Engine {
    const engine = createEngine(this.#plan, {
      hashKey: [1, 2],
      advanceWhenIdle: false,
      extraModes: this.#options.modes,
      groupsMax: 100_000,
    })
    if (state) engine.restore(state)
    engine.addPartitions(this.#positions.map((_, index) => `p${index}`))
    return engine
  }

  #newDecoder(): (records: EncodedRecords) => ReturnType<ReturnType<typeof createScalarDecoder>['decode']> {
    const decoder = createScalarDecoder({
      fields: this.#engine.fields,
      knownMembers: new Set(),
      hashSeed: 7,
      dictionaryEntriesMax: 1_000,
    })
    return (records) => decoder.decode(records)
  }
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
