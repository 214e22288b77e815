import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { encodeText } from '../../base/bytes.ts'
import { hashHigh, hashLow, xxhash64 } from '../../base/xxhash64.ts'
import { estimate, precisionFor, registerIndex, registerRank } from './hyperloglog.ts'

interface Count {
  readonly n: number
  readonly rsd: number
  readonly string: number
  readonly bigint: number
  readonly int: number
}

const golden = async (name: string): Promise<unknown> =>
  JSON.parse(await readFile(new URL(`../../../test/golden/spark/${name}`, import.meta.url), 'utf8'))

test('XXH64 gives the hashes that Spark gives', async () => {
  const { strings, longs, ints } = (await golden('xxhash64.json')) as Record<
    string,
    { value: string | number; xxhash64: string }[]
  >
  assert.ok(strings && longs && ints && strings.length > 20)
  for (const { value, xxhash64: expected } of strings)
    assert.equal(hashOf(encodeText(String(value))), BigInt(expected), String(value))
  for (const { value, xxhash64: expected } of longs)
    assert.equal(hashOf(longBytes(BigInt(value))), BigInt(expected), String(value))
  for (const { value, xxhash64: expected } of ints)
    assert.equal(hashOf(intBytes(Number(value))), BigInt(expected), String(value))
})

test('estimates are the numbers that Spark gives, for strings, longs and ints', async () => {
  const { counts } = (await golden('hll.json')) as { counts: Count[] }
  let compared = 0
  for (const rsd of new Set(counts.map((count) => count.rsd))) {
    const precision = precisionFor(rsd)
    const steps = counts.filter((count) => count.rsd === rsd).sort((left, right) => left.n - right.n)
    for (const [kind, bytes] of Object.entries({ string: textOf, bigint: longOf, int: intBytes })) {
      const registers = new Uint8Array(1 << precision)
      let added = 0
      for (const step of steps) {
        if (step.n > 100_000) continue
        for (; added < step.n; added++) add(registers, bytes(added), precision)
        assert.equal(estimate(registers, 0, precision), step[kind as 'string'], `${kind}, n ${step.n}, rsd ${rsd}`)
        compared++
      }
    }
  }
  assert.ok(compared >= 600, `${compared} compared`)
})

function add(registers: Uint8Array, bytes: Uint8Array, precision: number): void {
  xxhash64(bytes, 0, bytes.length, 42)
  const index = registerIndex(hashHigh, precision)
  registers[index] = Math.max(registers[index] as number, registerRank(hashHigh, hashLow, precision))
}

function hashOf(bytes: Uint8Array): bigint {
  xxhash64(bytes, 0, bytes.length, 42)
  return BigInt.asIntN(64, (BigInt(hashHigh) << 32n) | BigInt(hashLow >>> 0))
}

function textOf(index: number): Uint8Array {
  return encodeText(`user-${index}`)
}

function longOf(index: number): Uint8Array {
  return longBytes(BigInt(index))
}

function longBytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, value, true)
  return bytes
}

function intBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setInt32(0, value, true)
  return bytes
}
