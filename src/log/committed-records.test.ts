import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { draftOf, valuesIn } from '../../test/support/log-records.ts'
import { encodeText } from '../base/bytes.ts'
import { crc32c } from '../base/crc32c.ts'
import { type AbortedRange, committedRecords } from './committed-records.ts'
import { encodeProducedHeader } from './record-batch.ts'
import { RecordBatchBuilder } from './record-batch-builder.ts'

/** A log written by several producers, with what a reader of committed records must see of it. */
class ScriptedLog {
  readonly batches: { readonly bytes: Buffer; readonly base: number; readonly end: number }[] = []
  readonly aborted: (AbortedRange & { readonly end: number })[] = []
  /** Committed values by offset. */
  readonly truth = new Map<number, string>()
  readonly #open = new Map<number, { first: number; values: [number, string][] }>()
  #end = 0

  write(producer: number, transactional: boolean, ...values: string[]): void {
    const base = this.#end
    if (transactional) {
      const open = this.#open.get(producer) ?? { first: base, values: [] }
      open.values.push(...values.map((value, index): [number, string] => [base + index, value]))
      this.#open.set(producer, open)
    } else for (const [index, value] of values.entries()) this.truth.set(base + index, value)
    const draft = draftOf(...values)
    const header = encodeProducedHeader(
      draft,
      { producerId: producer, producerEpoch: 0, baseSequence: 0 },
      transactional,
    )
    this.#append(Buffer.concat([header, draft.records]), values.length)
  }

  finish(producer: number, commit: boolean): void {
    const open = this.#open.get(producer)
    if (!open) return
    this.#open.delete(producer)
    if (commit) for (const [offset, value] of open.values) this.truth.set(offset, value)
    else this.aborted.push({ producerId: BigInt(producer), firstOffset: open.first, end: this.#end + 1 })
    const builder = new RecordBatchBuilder(64)
    builder.add(Uint8Array.of(0, 0, 0, commit ? 1 : 0), encodeText('marker'), 0)
    const draft = builder.finish()
    const header = encodeProducedHeader(draft, { producerId: producer, producerEpoch: 0, baseSequence: -1 }, true)
    const bytes = Buffer.concat([header, draft.records])
    bytes.writeInt16BE(0x30, 21)
    this.#append(bytes, 1)
  }

  finishAll(): void {
    for (const producer of [...this.#open.keys()]) this.finish(producer, producer % 2 === 0)
  }

  get end(): number {
    return this.#end
  }

  #append(bytes: Buffer, count: number): void {
    bytes.writeBigInt64BE(BigInt(this.#end), 0)
    bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17)
    this.batches.push({ bytes, base: this.#end, end: this.#end + count })
    this.#end += count
  }
}

type Step = {
  readonly producer: number
  readonly act: 'plain' | 'transactional' | 'commit' | 'abort'
  readonly count: number
}

const step: fc.Arbitrary<Step> = fc.record({
  producer: fc.nat({ max: 3 }),
  act: fc.constantFrom('plain', 'transactional', 'transactional', 'commit', 'abort'),
  count: fc.integer({ min: 1, max: 3 }),
})

function scripted(steps: readonly Step[]): ScriptedLog {
  const log = new ScriptedLog()
  for (const [index, { producer, act, count }] of steps.entries()) {
    const values = Array.from({ length: count }, (_, record) => `${index}.${record}`)
    if (act === 'plain') log.write(producer, false, ...values)
    else if (act === 'transactional') log.write(producer, true, ...values)
    else log.finish(producer, act === 'commit')
  }
  log.finishAll()
  return log
}

test('whatever a fetch cuts out of the log, committed records are seen, with their offsets, and nothing else', () => {
  const check = (steps: readonly Step[], cuts: readonly number[]): void => {
    const log = scripted(steps)
    const seen = new Map<number, string>()
    let position = 0
    for (let next = 0; next < log.batches.length; ) {
      const taken = log.batches.slice(next, next + (cuts[next % cuts.length] ?? 1))
      next += taken.length
      const bytes = Buffer.concat(taken.map((batch) => batch.bytes))
      const from = taken[0].base
      const to = taken.at(-1)?.end ?? 0
      // A broker lists what was aborted with records at or behind the offset that is asked for.
      const aborted = log.aborted.filter(({ firstOffset, end }) => firstOffset < to && end > from)
      for (const piece of committedRecords(bytes, aborted.toReversed(), 'scripted')) {
        assert.ok(piece.baseOffset >= position, 'pieces follow each other')
        if (piece.recordCount > 0)
          for (const [index, value] of valuesIn(piece).entries()) seen.set(piece.baseOffset + index, value)
        position = piece.endOffset
      }
      assert.equal(position, to, 'nothing to be seen is said too')
    }
    assert.deepEqual([...seen].sort(byOffset), [...log.truth].sort(byOffset))
  }
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1 }), check),
    {
      numRuns: 300,
    },
  )
})

test('a producer that was aborted before is seen again in its next transaction', () => {
  const log = new ScriptedLog()
  log.write(1, true, 'void')
  log.finish(1, false)
  log.write(1, true, 'kept')
  log.finish(1, true)
  const pieces = [...committedRecords(Buffer.concat(log.batches.map(({ bytes }) => bytes)), log.aborted, 'log')]
  assert.deepEqual(pieces.filter(({ recordCount }) => recordCount > 0).flatMap(valuesIn), ['kept'])
  assert.equal(pieces.at(-1)?.endOffset, log.end)
})

function byOffset([left]: [number, string], [right]: [number, string]): number {
  return left - right
}
