import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteReader, ByteWriter } from '../../src/base/bytes.ts'
import type { ResultBatch } from '../../src/batch/result-batch.ts'
import { createScalarDecoder } from '../../src/batch/scalar-decoder.ts'
import { createOperator } from '../../src/engine/compile-operator.ts'
import type { Operator, OperatorResults } from '../../src/engine/operator.ts'
import { selectedFields } from '../../src/engine/selected-fields.ts'
import type { OutputMode } from '../../src/plan/connectors.ts'
import { queryChain } from '../../src/plan/query-chain.ts'
import { resultFields } from '../../src/plan/result-schema.ts'
import { rowsOf } from '../../src/sinks/memory-sink.ts'
import { encoded } from '../support/events.ts'
import { lawRuns } from '../support/law-runs.ts'
import type { PlacedEvent } from '../support/naive-aggregates.ts'
import {
  EARLY_CASES,
  epochsOf,
  history,
  type Step,
  toEvent,
  WINDOW_CASES,
  type WindowCase,
} from '../support/window-cases.ts'

const ALL_SHARDS: readonly number[] = Array.from({ length: 64 }, (_, shard) => shard)
const NEVER = Number.NEGATIVE_INFINITY

/** Who only waits for closed windows has groups handed over late, everybody else at the end of each epoch. */
const MODES: readonly (readonly OutputMode[])[] = [['append'], ['append', 'update', 'complete']]

for (const one of [...WINDOW_CASES, ...EARLY_CASES]) {
  test(`${one.name}: what owners of shards hand over and merge is what one operator gives`, () => {
    fc.assert(
      fc.property(
        history,
        fc.constantFrom(1, 2, 4),
        fc.nat(64),
        fc.constantFrom(...MODES),
        fc.array(fc.boolean()),
        (steps, partitions, cut, modes, snapshots) => {
          assertSharded(one, steps, { partitions, cut, modes, snapshots })
        },
      ),
      { numRuns: lawRuns('shards') },
    )
  })
}

type Case = Omit<WindowCase, 'naive'>

interface Sharding {
  readonly partitions: number
  /** Shards below it have one owner, the others another one. */
  readonly cut: number
  readonly modes: readonly OutputMode[]
  /** By epoch: whether state is compared behind it, for which everything is handed over. */
  readonly snapshots: readonly boolean[]
}

/** Two owners, each of which reads some partitions, against one operator that reads them all. */
function assertSharded(one: Case, steps: readonly Step[], { partitions, cut, modes, snapshots }: Sharding): void {
  const whole = new Worker(one, modes)
  const owners = [ALL_SHARDS.slice(0, cut), ALL_SHARDS.slice(cut)].map((shards) => new Worker(one, modes, shards))
  let late = NEVER
  let newest = NEVER
  const epochs = epochsOf(steps, partitions, one)
  for (const [index, all] of [...epochs, []].entries()) {
    tellOfMarks(owners, late)
    // The watermark is ahead of many: those that came too late, and those for whom an older window has closed already.
    const events = all.filter(({ ts }) => ts >= whole.operator.openFrom(late))
    const accepted = whole.read(events)
    let acceptedByOwners = 0
    for (const [at, owner] of owners.entries()) {
      acceptedByOwners += owner.read(events.filter(({ partition }) => partition % 2 === at))
    }
    assert.equal(acceptedByOwners, accepted)
    newest = Math.max(newest, ...events.map(({ ts }) => ts))
    const closeMs = index === epochs.length ? Number.POSITIVE_INFINITY : newest - 8 * one.unitMs
    const context = { epoch: index + 1, lateWatermarkMs: late, closeWatermarkMs: closeMs }
    late = context.closeWatermarkMs
    exchange(owners, closeMs, newest, false)
    const results = whole.operator.close(context)
    const parts = owners.map((owner) => owner.operator.close(context))
    for (const mode of modes) assert.deepEqual(rowsOfAll(parts, mode), rowsOfAll([results], mode))
    if (snapshots[index] !== true) continue
    exchange(owners, closeMs, newest, true)
    assertSameState(whole, owners, one)
  }
}

/** Everybody is told what others have closed early. */
function tellOfMarks(owners: readonly Worker[], lateWatermarkMs: number): void {
  const marks = owners.map(({ operator }) => {
    const writer = new ByteWriter()
    return operator.writeNewMarks?.(writer) ? [writer.finish()] : []
  })
  for (const [listener, { operator }] of owners.entries()) {
    const told = marks.filter((_, teller) => teller !== listener).flat()
    const readers = told.map((bytes) => new ByteReader(bytes, 'marks'))
    operator.hearOfMarks?.(readers, lateWatermarkMs)
  }
}

/** Everybody gives what others own. */
function exchange(owners: readonly Worker[], closeWatermarkMs: number, newestMs: number, all: boolean): void {
  const keys = owners.map(({ operator }) => {
    const writer = new ByteWriter()
    return !all && operator.writeClosingKeys?.(writer, closeWatermarkMs, newestMs) ? [writer.finish()] : []
  })
  const given = owners.map(({ operator }, giver) => {
    const others = owners.filter((_, index) => index !== giver)
    const parts = others.map(({ shards }) => ({ shards, writer: new ByteWriter() }))
    const closingKeys = keys.filter((_, index) => index !== giver).flat()
    const readers = closingKeys.map((bytes) => new ByteReader(bytes, 'keys'))
    operator.handOver({ closeWatermarkMs, all, closingKeys: readers, owners: parts })
    return { others, bytes: parts.map(({ writer }) => writer.finish()) }
  })
  for (const { others, bytes } of given) {
    for (const [index, other] of others.entries()) other.merge(bytes[index] as Uint8Array, other.shards.length)
  }
}

/** The sections of all owners, one behind the other, are those of the whole, and make the whole again. */
function assertSameState(whole: Worker, owners: readonly Worker[], one: Case): void {
  const bytes = whole.written()
  const parts = owners.map((owner) => owner.written())
  assert.deepEqual(Buffer.concat(parts), Buffer.from(bytes))
  const again = new Worker(one, ['append'])
  for (const [at, part] of parts.entries()) again.merge(part, (owners[at] as Worker).shards.length)
  assert.deepEqual(again.written(), bytes)
}

function rowsOfAll(all: readonly OperatorResults[], mode: OutputMode): string[] {
  return all.flatMap((results) => rowsOf(results[mode] as ResultBatch).map((row) => JSON.stringify([...row]))).sort()
}

/** An operator with a decoder of its own. */
class Worker {
  readonly operator: Operator
  readonly shards: readonly number[]
  readonly #decoder: ReturnType<typeof createScalarDecoder>

  /** Of all shards when none are named. */
  constructor({ plan }: Case, modes: readonly OutputMode[], ownShards?: readonly number[]) {
    this.shards = ownShards ?? ALL_SHARDS
    const fields = selectedFields(plan)
    const [query] = plan.queries
    assert.ok(query)
    const { output: node, watermark } = queryChain(query.root)
    assert.ok(node?.kind === 'aggregate' && watermark)
    this.operator = createOperator({
      query: query.name,
      node,
      fields,
      resultFields: resultFields(query),
      eventTimeIndex: fields.findIndex(({ name }) => name === watermark.column),
      modes,
      ownShards,
      spark: false,
      keepsClosed: false,
      groupsMax: 100_000,
      hashKey: [1, 2],
    })
    this.#decoder = createScalarDecoder({ fields, knownMembers: new Set(), hashSeed: 7, dictionaryEntriesMax: 1_000 })
  }

  /** Takes in what no session that was closed early stands in the way of, and gives how many rows that were. */
  read(events: readonly PlacedEvent[]): number {
    let accepted = 0
    for (const [partition, own] of Map.groupBy(events, (event) => event.partition)) {
      const batch = this.#decoder.decode(encoded(own.map(toEvent), own[0]?.offset ?? 0))
      const rows = Int32Array.from(own.keys())
      const refused = this.operator.closesEarly?.() ? this.operator.refuseClosed : undefined
      const count = refused?.call(this.operator, batch, rows, rows.length, () => {}) ?? rows.length
      this.operator.processBatch(batch, { partition, rows, count })
      accepted += count
    }
    return accepted
  }

  written(): Uint8Array {
    const writer = new ByteWriter()
    this.operator.write(writer, this.shards)
    return writer.finish()
  }

  merge(bytes: Uint8Array, shardCount: number): void {
    this.operator.merge(new ByteReader(bytes, 'groups'), shardCount)
  }
}
