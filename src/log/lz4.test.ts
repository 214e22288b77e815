import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import fc from 'fast-check'
import { unpackLz4 } from './lz4.ts'

const { lz4Compress } = createRequire(import.meta.url)('@platformatic/wasm-utils') as {
  lz4Compress(bytes: Buffer): Buffer
}
const MB = 1 << 20

/** Texts that repeat themselves at all distances, and some that do not; never nothing, which the library packs only until its memory grows. */
const contents = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(fc.string({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 2_000 }))
        .map(([text, times]) => Buffer.from(text.repeat(times))),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat([...parts, Buffer.from('.')]))

function unpack(bytes: Uint8Array, bytesMax = 64 * MB): Buffer {
  const unpacked = unpackLz4(bytes, bytesMax, (sizeBytes) => new Uint8Array(sizeBytes))
  assert.ok(unpacked, 'npm run build:wasm')
  return Buffer.from(unpacked.buffer, unpacked.byteOffset, unpacked.length)
}

test('what a library has packed comes out as it was', () => {
  fc.assert(
    fc.property(contents, (bytes) => {
      assert.ok(unpack(lz4Compress(bytes)).equals(bytes))
    }),
    { numRuns: 300 },
  )
})

test('more than is expected of a batch comes out as well, in memory that is given', () => {
  const bytes = Buffer.alloc(30 * MB, 'many times the same, ')
  const memory = new Uint8Array(new SharedArrayBuffer(32 * MB))
  const unpacked = unpackLz4(lz4Compress(bytes), 64 * MB, () => memory)
  assert.ok(unpacked?.buffer === memory.buffer && bytes.equals(unpacked))
})

test('blocks that are not packed, checksums of blocks, and a size of the content are understood', () => {
  const plain = Buffer.from('abcdefgh')
  const head = (flags: number, size: Buffer) =>
    Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18, flags, 0x40]), size, Buffer.of(0)])
  const block = (length: number, bytes: Buffer, checksum: Buffer) => {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(length)
    return Buffer.concat([size, bytes, checksum])
  }
  const end = Buffer.alloc(4)
  const none = Buffer.alloc(0)
  const first = block((0x80000000 | plain.length) >>> 0, plain, none)
  assert.equal(unpack(Buffer.concat([head(0x60, none), first, end])).toString(), 'abcdefgh')
  const checked = block((0x80000000 | plain.length) >>> 0, plain, Buffer.from('1234'))
  assert.equal(unpack(Buffer.concat([head(0x70, none), checked, checked, end])).toString(), 'abcdefghabcdefgh')
  assert.equal(unpack(Buffer.concat([head(0x68, Buffer.alloc(8)), first, end])).toString(), 'abcdefgh')
  // One literal, then it again seven times from the block before: distance 8, so that blocks hang together.
  const linked = Buffer.from([0x13, 0x78, 0x08, 0x00, 0x00])
  assert.equal(
    unpack(Buffer.concat([head(0x40, none), first, block(5, linked, none), end])).toString(),
    'abcdefghxbcdefgh',
  )
})

test('damaged and cut off frames are refused or unpack to something; nothing hangs, and nothing outside is touched', () => {
  const steps = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(contents, steps, fc.nat(), (bytes, changes, cut) => {
      const packed = Buffer.from(lz4Compress(bytes))
      for (const [at, value] of changes) packed[at % packed.length] = value
      const damaged = packed.subarray(0, cut % 3 === 0 ? cut % packed.length : packed.length)
      try {
        assert.ok(unpack(damaged, MB).length <= MB)
      } catch (error) {
        assert.match(String(error), /no LZ4 frame, or damaged|unpacks to more than/)
      }
      assert.ok(unpack(lz4Compress(bytes)).equals(bytes))
    }),
    { numRuns: 500 },
  )
})

test('a few bytes that unpack beyond all measure are refused', () => {
  assert.throws(() => unpack(lz4Compress(Buffer.alloc(8 * MB)), MB), /unpacks to more than 1048576 bytes/)
})
