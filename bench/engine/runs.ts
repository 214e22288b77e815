import assert from 'node:assert/strict'
import type { Batch } from '../../src/batch/batch.ts'
import type { Column } from '../../src/batch/column.ts'
import type { Decoder } from '../../src/batch/json-decoder.ts'
import type { Field } from '../../src/batch/schema.ts'
import { createWasmDecoder } from '../../src/batch/wasm-decoder.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { createEngine } from '../../src/engine/pipeline.ts'
import { clickEvent, type PipelinePlan } from '../../src/index.ts'
import { loadDecoderModule } from '../../src/job/decoder-module.ts'
import type { EngineData } from './data.ts'

/** Rows between two moves of the watermark. */
const ROWS_PER_EPOCH = 200_000

/** Decodes and computes everything; gives the number of events. */
export function runEngine(plan: PipelinePlan, data: EngineData): number {
  const engine = newEngine(plan)
  const decoder = newDecoder(engine.fields)
  return computeAll(engine, data, function* () {
    for (const records of data.batches) yield decoder.decode(records)
  })
}

/** Computes everything over batches that were decoded before. */
export function runOperators(plan: PipelinePlan, data: EngineData, batches: readonly Batch[]): number {
  return computeAll(newEngine(plan), data, () => batches)
}

/** Decodes what the queries of a pipeline need, and nothing else. */
export function decodeOnly(plan: PipelinePlan, data: EngineData): number {
  const decoder = newDecoder(newEngine(plan).fields)
  let rows = 0
  for (const records of data.batches) rows += decoder.decode(records).rowCount
  return rows
}

/** Every batch decoded and copied, so that it outlives its decoder's next call. */
export function decodedBatches(plan: PipelinePlan, data: EngineData): Batch[] {
  const decoder = newDecoder(newEngine(plan).fields)
  return data.batches.map((records) => copied(decoder.decode(records)))
}

function newEngine(plan: PipelinePlan): Engine {
  const engine = createEngine(plan, { hashKey: [1, 2], advanceWhenIdle: false, extraModes: [], groupsMax: 20_000_000 })
  engine.addPartitions(['0'])
  return engine
}

function newDecoder(fields: readonly Field[]): Decoder {
  const module = loadDecoderModule((problem) => assert.fail(problem))
  assert.ok(module)
  const knownMembers = new Set(clickEvent.fields.map((field) => field.from ?? field.name))
  return createWasmDecoder({ fields, knownMembers, hashSeed: 1, dictionaryEntriesMax: 1 << 20 }, module)
}

function computeAll(engine: Engine, data: EngineData, batches: () => Iterable<Batch>): number {
  let epoch = 0
  let rowsInEpoch = 0
  let accepted = 0
  const begin = (flush: boolean): void =>
    engine.beginEpoch({ epoch: ++epoch, previous: epoch - 1, clockMs: 0, ranges: [], idle: [], ended: [], flush })
  const end = (): void => {
    const results = engine.endEpoch()
    for (const { fate, rows } of results.ledger) if (fate === 'accepted' || fate === 'filtered') accepted += rows
  }
  begin(false)
  for (const batch of batches()) {
    engine.processBatch(0, batch)
    rowsInEpoch += batch.rowCount
    if (rowsInEpoch < ROWS_PER_EPOCH) continue
    rowsInEpoch = 0
    end()
    begin(false)
  }
  end()
  begin(true)
  end()
  assert.equal(accepted, data.events, 'no generated event is refused')
  return accepted
}

function copied(batch: Batch): Batch {
  const { rowCount } = batch
  return {
    ...batch,
    columns: batch.columns.map((column) => copiedColumn(column, rowCount)),
    status: batch.status.slice(0, rowCount),
    error: batch.error.slice(0, rowCount),
    errorField: batch.errorField.slice(0, rowCount),
    offsets: batch.offsets.slice(0, rowCount),
    recordTimes: batch.recordTimes.slice(0, rowCount),
    valueStarts: batch.valueStarts.slice(0, rowCount),
    valueLengths: batch.valueLengths.slice(0, rowCount),
  }
}

function copiedColumn(column: Column, rowCount: number): Column {
  switch (column.kind) {
    case 'dictionary':
      return { ...column, codes: column.codes.slice(0, rowCount) }
    case 'string':
      return {
        ...column,
        data: column.data.slice(),
        starts: column.starts.slice(0, rowCount),
        lengths: column.lengths.slice(0, rowCount),
      }
    case 'uuid':
      return { ...column, bytes: column.bytes.slice(0, rowCount * 16), validity: column.validity.slice(0, rowCount) }
    case 'int32':
      return { ...column, values: column.values.slice(0, rowCount), validity: column.validity.slice(0, rowCount) }
    case 'number':
      return { ...column, values: column.values.slice(0, rowCount) }
    case 'boolean':
      return { ...column, values: column.values.slice(0, rowCount) }
  }
}
