import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MillraceError } from '../../src/base/error.ts'
import { EngineRun, type Piece } from '../support/events.ts'
import { lawRuns } from '../support/law-runs.ts'
import {
  byPartition,
  epochsOf,
  history,
  type Step,
  toEvent,
  WINDOW_CASES,
  type WindowCase,
} from '../support/window-cases.ts'

for (const one of WINDOW_CASES) {
  test(`${one.name}: one input gives the same state bytes, in whatever batches and order it comes`, () => {
    fc.assert(
      fc.property(history, fc.constantFrom(1, 3), fc.infiniteStream(fc.nat(1_000)), (steps, partitions, draws) => {
        const straight = new EngineRun(one.plan, partitions)
        const events = epochsOf(steps, partitions, one).flat()
        const results = straight.epoch(byPartition(events, partitions))
        const shuffled = new EngineRun(one.plan, partitions)
        const pieces = events
          .map((event): Piece & { readonly draw: number } => ({
            partition: event.partition,
            at: event.offset,
            events: [toEvent(event)],
            draw: draws.next().value,
          }))
          .sort((left, right) => left.draw - right.draw)
        assert.deepEqual(shuffled.epochInPieces(pieces), results)
        assert.deepEqual(shuffled.engine.snapshot(), straight.engine.snapshot())
      }),
      { numRuns: lawRuns(15) },
    )
  })

  test(`${one.name}: damaged state is refused with an explanation, or it is read as what it says`, () => {
    fc.assert(
      fc.property(history, fc.nat(), fc.nat(), fc.nat(255), (steps, first, second, byte) => {
        const bytes = stateOf(one, steps)
        for (const damaged of [
          bytes.subarray(0, first % bytes.length),
          withByte(bytes, first % bytes.length, byte),
          withByte(withByte(bytes, first % bytes.length, byte), second % bytes.length, 255),
        ]) {
          assertReadsOrRefuses(one, damaged)
        }
      }),
      { numRuns: lawRuns(10) },
    )
  })
}

test('state that lacks its end is refused, wherever it ends', () => {
  for (const one of WINDOW_CASES) {
    const bytes = stateOf(one, fc.sample(history, { seed: 1, numRuns: 5 }).find((steps) => steps.length > 3) ?? [])
    const stride = Math.max(1, Math.floor(bytes.length / 100))
    for (let length = 0; length < bytes.length; length += stride) {
      assert.throws(() => new EngineRun(one.plan, 2, { state: bytes.subarray(0, length) }), MillraceError)
    }
  }
})

function stateOf(one: WindowCase, steps: readonly Step[]): Uint8Array {
  const run = new EngineRun(one.plan, 2)
  for (const events of epochsOf(steps, 2, one)) run.epoch(byPartition(events, 2))
  return run.engine.snapshot()
}

function withByte(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  return bytes.with(at, byte)
}

function assertReadsOrRefuses(one: WindowCase, state: Uint8Array): void {
  try {
    const run = new EngineRun(one.plan, 2, { state })
    run.epoch([[], []])
    run.engine.snapshot()
    run.epoch([[], []], { flush: true })
  } catch (error) {
    assert.ok(error instanceof MillraceError, String((error as Error).stack))
  }
}
