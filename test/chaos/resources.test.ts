import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { growthPerHour, type Sample, sampleOf, troughs } from './resources.ts'

const samples: Sample[] = Array.from({ length: 100 }, (_, minute) => ({
  atMs: minute * 60_000,
  // Grows by 6 MB an hour below what comes and goes.
  residentBytes: 100e6 + minute * 100_000 + (minute % 10 === 0 ? 0 : ((minute * 37) % 10) * 20e6),
  descriptors: 20,
  files: minute,
}))

test('growth is told per hour, that of memory below what comes and goes', () => {
  const memory = ({ residentBytes }: Sample): number => residentBytes
  assert.equal(Math.round(growthPerHour(samples, ({ files }) => files)), 60)
  assert.equal(
    growthPerHour(samples, ({ descriptors }) => descriptors),
    0,
  )
  assert.equal(Math.round(growthPerHour(troughs(samples, memory), memory)), 6_000_000)
})

test('a process is looked at by its id, and one that is gone is not there', async (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux tells by files what a process holds')
  const folder = await mkdtemp(join(tmpdir(), 'millrace-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'one'), '')
  const sample = await sampleOf(process.pid, [folder, join(folder, 'missing')])
  assert.ok(sample && sample.residentBytes > 10e6 && sample.descriptors > 3)
  assert.equal(sample.files, 1)
  assert.equal(await sampleOf(2 ** 30, [folder]), undefined)
})
