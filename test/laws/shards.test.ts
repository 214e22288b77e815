import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteReader, ByteWriter } from '../../src/base/bytes.ts'
import { createScalarDecoder } from '../../src/batch/scalar-decoder.ts'
import { createOperator } from '../../src/engine/compile-operator.ts'
import type { Operator, OperatorResults } from '../../src/engine/operator.ts'
import { selectedFields } from '../../src/engine/selected-fields.ts'
import { queryChain } from '../../src/plan/query-chain.ts'
import { resultFields } from '../../src/plan/result-schema.ts'
import { encoded } from '../support/events.ts'
import { lawRuns } from '../support/law-runs.ts'
import type { PlacedEvent } from '../support/naive-aggregates.ts'
import { epochsOf, history, type Step, toEvent, WINDOW_CASES, type WindowCase } from '../support/window-cases.ts'

const ALL_SHARDS: readonly number[] = Array.from({ length: 64 }, (_, shard) => shard)
const NEVER = Number.NEGATIVE_INFINITY

for (const one of WINDOW_CASES) {
  test(`${one.name}: what several workers gather and owners of shards merge is what one operator gives`, () => {
    fc.assert(
      fc.property(history, fc.constantFrom(1, 2, 4), fc.nat(64), (steps, workers, cut) => {
        assertSharded(one, steps, workers, cut)
      }),
      { numRuns: lawRuns(12) },
    )
  })
}

/** Owners of shards below and above the cut, fed by workers that each read a partition, against one operator that reads them all. */
function assertSharded(one: WindowCase, steps: readonly Step[], workers: number, cut: number): void {
  const whole = new Worker(one)
  const gathering = Array.from({ length: workers }, () => new Worker(one))
  const shards = [ALL_SHARDS.slice(0, cut), ALL_SHARDS.slice(cut)]
  const owners = shards.map(() => new Worker(one))
  const reunited = new Worker(one)
  let late = NEVER
  let newest = NEVER
  const epochs = epochsOf(steps, workers, one)
  for (const [index, events] of [...epochs, []].entries()) {
    whole.read(events)
    for (const [partition, worker] of gathering.entries()) {
      worker.read(events.filter((event) => event.partition === partition))
      for (const [at, owner] of owners.entries()) owner.merge(worker.written(shards[at]), shards[at].length)
      reunited.merge(worker.written(ALL_SHARDS), ALL_SHARDS.length)
      worker.operator.clear()
      assert.equal(worker.operator.stateRows, 0)
    }
    newest = Math.max(newest, ...events.map(({ ts }) => ts))
    const closeMs = index === epochs.length ? Number.POSITIVE_INFINITY : newest - 30 * one.unitMs
    const context = { epoch: index + 1, lateWatermarkMs: late, closeWatermarkMs: closeMs }
    late = context.closeWatermarkMs
    const results = whole.operator.close(context)
    assert.deepEqual(reunited.operator.close(context), results)
    const parts = owners.map((owner) => owner.operator.close(context))
    assert.deepEqual(rowCount(...parts), rowCount(results))
    assertSameState(whole, owners, shards, one)
  }
}

/** The sections of all owners, one behind the other, are those of the whole, and make the whole again. */
function assertSameState(
  whole: Worker,
  owners: readonly Worker[],
  shards: readonly (readonly number[])[],
  one: WindowCase,
): void {
  const bytes = whole.written(ALL_SHARDS)
  const parts = owners.map((owner, at) => owner.written(shards[at]))
  assert.deepEqual(Buffer.concat(parts), Buffer.from(bytes))
  const again = new Worker(one)
  for (const [at, part] of parts.entries()) again.merge(part, shards[at].length)
  assert.deepEqual(again.written(ALL_SHARDS), bytes)
}

function rowCount(...all: readonly OperatorResults[]): number[] {
  return (['append', 'update', 'complete'] as const).map((mode) =>
    all.reduce((sum, results) => sum + (results[mode]?.rowCount ?? 0), 0),
  )
}

/** An operator with a decoder of its own. */
class Worker {
  readonly operator: Operator
  readonly #decoder: ReturnType<typeof createScalarDecoder>

  constructor({ plan }: WindowCase) {
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
      modes: ['append', 'update', 'complete'],
      spark: false,
      keepsClosed: false,
      groupsMax: 100_000,
      hashKey: [1, 2],
    })
    this.#decoder = createScalarDecoder({ fields, knownMembers: new Set(), hashSeed: 7, dictionaryEntriesMax: 1_000 })
  }

  read(events: readonly PlacedEvent[]): void {
    for (const [partition, own] of Map.groupBy(events, (event) => event.partition)) {
      const batch = this.#decoder.decode(encoded(own.map(toEvent), own[0]?.offset ?? 0))
      const rows = Int32Array.from(own.keys())
      this.operator.processBatch(batch, { partition, rows, count: rows.length })
    }
  }

  written(shards: readonly number[] = []): Uint8Array {
    const writer = new ByteWriter()
    this.operator.write(writer, shards)
    return writer.finish()
  }

  merge(bytes: Uint8Array, shardCount: number): void {
    this.operator.merge(new ByteReader(bytes, 'groups'), shardCount)
  }
}
