import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../base/clock.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import type { Source } from '../sources/source.ts'
import { Prefetcher, type ReadTally } from './prefetcher.ts'

const NEVER = new AbortController().signal

test('a piece that an epoch ends within is given back when the epoch after has read the rest', async () => {
  const released: number[] = []
  const prefetcher = new Prefetcher(sourceOf([10, 10, 10], released), 1, new VirtualClock())
  prefetcher.add('p', 0, Number.POSITIVE_INFINITY)
  assert.deepEqual(await followTo(prefetcher, 15), [0, 10])
  assert.deepEqual(released, [0])
  assert.deepEqual(await followTo(prefetcher, 20), [10])
  assert.deepEqual(released, [0, 10])
  assert.deepEqual(await followTo(prefetcher, 30), [20])
  await prefetcher.close()
})

test('bytes and arrivals of a piece count for the epoch that has its end', async () => {
  const prefetcher = new Prefetcher(sourceOf([10, 10], []), 1, new VirtualClock(7_000))
  prefetcher.add('p', 0, Number.POSITIVE_INFINITY)
  const tally: ReadTally = { bytes: 0, arrivals: [] }
  await followTo(prefetcher, 15, tally)
  assert.deepEqual(tally, { bytes: 100, arrivals: [{ rows: 10, atMs: 7_000 }] })
  await followTo(prefetcher, 20, tally)
  assert.equal(tally.bytes, 200)
  await prefetcher.close()
})

test('nothing is left over of the last piece, which goes on behind the end of the run', async () => {
  const prefetcher = new Prefetcher(sourceOf([10, 10], []), 1, new VirtualClock())
  prefetcher.add('p', 0, 15)
  assert.deepEqual(await followTo(prefetcher, 15), [0, 10])
  assert.equal(prefetcher.hasRows, false)
  await prefetcher.close()
})

/** Offsets where the pieces begin; each is released, as whoever computes does. */
async function followTo(
  prefetcher: Prefetcher,
  toOffset: number,
  tally: ReadTally = { bytes: 0, arrivals: [] },
): Promise<number[]> {
  const begins: number[] = []
  for await (const piece of prefetcher.follow(0, toOffset, tally, NEVER)) {
    begins.push(piece.baseOffset)
    piece.release?.()
  }
  return begins
}

/** A partition of pieces with so many rows, each ten bytes; says which were released, by their first offset. */
function sourceOf(sizes: readonly number[], released: number[]): Source {
  return {
    identity: 'scripted',
    bounded: false,
    partitions: async () => [],
    offsets: async () => new Map(),
    close: async () => {},
    async *read(): AsyncGenerator<EncodedRecords> {
      let baseOffset = 0
      for (const recordCount of sizes) {
        const [from, endOffset] = [baseOffset, baseOffset + recordCount]
        const bytes = new Uint8Array(recordCount * 10)
        const release = (): void => void released.push(from)
        yield { framing: 'records', bytes, baseOffset: from, endOffset, recordCount, baseTimestamp: 0, release }
        baseOffset = endOffset
      }
    },
  }
}
