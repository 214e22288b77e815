import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FramePool } from './frame-pool.ts'

const KB = 1024

test('a frame is used again once nobody holds a piece of it, and not before', () => {
  const pool = new FramePool()
  const frame = pool.take(300 * KB)
  const piece = frame.subarray(7, 20)
  pool.retain(piece)
  pool.retain(piece)
  for (const _ of [1, 2]) {
    pool.release(frame)
    assert.ok(pool.take(310 * KB).buffer !== frame.buffer)
  }
  pool.release(piece)
  assert.ok(pool.take(310 * KB).buffer === frame.buffer)
})

test('a frame has room for what is asked for, at most twice as much when it is shared', () => {
  const pool = new FramePool()
  for (const sizeBytes of [1, 255 * KB, 256 * KB, 300 * KB, 5_000_000, 32 << 20, (32 << 20) + 1]) {
    const { length } = pool.take(sizeBytes)
    assert.ok(length >= sizeBytes && length <= 2 * sizeBytes, `${length} for ${sizeBytes}`)
  }
})

test('of the free frames the smallest that is large enough is taken, and none that is much too large', () => {
  const pool = new FramePool()
  const frames = [900, 1_500, 700].map((sizeKb) => pool.take(sizeKb * KB))
  for (const frame of frames) pool.release(frame)
  assert.ok(!frames.some(({ buffer }) => buffer === pool.take(300 * KB).buffer))
  assert.ok(pool.take(600 * KB).buffer === frames[2].buffer)
  assert.ok(pool.take(600 * KB).buffer === frames[0].buffer)
})

test('another thread sees what is received into a frame', () => {
  assert.ok(new FramePool().take(300 * KB).buffer instanceof SharedArrayBuffer)
})

test('small and giant memory is nobody’s: holding and releasing it changes nothing', () => {
  const pool = new FramePool()
  for (const sizeBytes of [10, 40 << 20]) {
    const frame = pool.take(sizeBytes)
    pool.retain(frame)
    for (let count = 0; count < 5; count++) pool.release(frame)
    assert.notEqual(pool.take(sizeBytes).buffer, frame.buffer)
  }
})

test('to release more often than was held is a bug, and is told', () => {
  const pool = new FramePool()
  const frame = pool.take(300 * KB)
  pool.release(frame)
  assert.throws(() => pool.release(frame), /released as often as it was held/)
})

test('whoever holds a frame keeps its bytes, whatever others take and release', () => {
  const steps = fc.array(fc.record({ take: fc.boolean(), which: fc.nat(), size: fc.integer({ min: 256, max: 2_000 }) }))
  fc.assert(
    fc.property(steps, (all) => {
      const pool = new FramePool()
      const held: { readonly frame: Buffer; readonly mark: number }[] = []
      for (const [mark, { take, which, size }] of all.entries()) {
        if (take || held.length === 0) {
          const frame = pool.take(size * KB)
          frame.writeUInt32LE(mark, 0)
          held.push({ frame, mark })
        } else {
          const [{ frame }] = held.splice(which % held.length, 1)
          pool.release(frame)
        }
        for (const { frame, mark: written } of held) assert.equal(frame.readUInt32LE(0), written)
      }
    }),
    { numRuns: 50 },
  )
})
