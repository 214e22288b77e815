import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { encodeText } from '../base/bytes.ts'
import type { DeadLetter } from '../engine/epoch.ts'
import { DeadLetterFile, type DeadLetterLengths } from './dead-letter-file.ts'

test('letters of an epoch that never became certain are gone when the next process opens', async (t) => {
  const folder = await temporary(t)
  const first = new DeadLetterFile(folder, 'a', 1, [])
  await first.append(1, [letter('certain')], ['p'])
  const { lengths } = first
  await first.append(2, [letter('void')], ['p'])
  await first.close()
  // This one wrote for the first time, so no certain epoch knows its file.
  const second = await opened(folder, 'a', 2, lengths)
  await second.append(2, [letter('void too')], ['p'])
  await second.close()
  const third = await opened(folder, 'a', 3, lengths)
  await third.append(2, [letter('certain at last')], ['p'])
  await third.close()
  assert.deepEqual(await raws(folder), ['certain', 'certain at last'])
})

test('runs that share a folder leave each other alone', async (t) => {
  const folder = await temporary(t)
  const first = await opened(folder, 'a', 1, [])
  await first.append(1, [letter('of a')], ['p'])
  const second = await opened(folder, 'b', 1, [])
  await second.append(1, [letter('of b')], ['p'])
  await Promise.all([first.close(), second.close()])
  assert.deepEqual(await raws(folder), ['of a', 'of b'])
})

async function opened(folder: string, run: string, fence: number, lengths: DeadLetterLengths): Promise<DeadLetterFile> {
  const file = new DeadLetterFile(folder, run, fence, lengths)
  await file.open()
  return file
}

async function raws(folder: string): Promise<string[]> {
  const texts = await Promise.all((await readdir(folder)).sort().map((name) => readFile(join(folder, name), 'utf8')))
  return texts
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { raw: string }).raw)
}

function letter(text: string): DeadLetter {
  return {
    partition: 0,
    offset: 1,
    fate: 'malformed',
    rule: '',
    reason: 'no JSON',
    raw: encodeText(text),
    watermarkMs: 0,
    windowsMissed: [],
  }
}

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-letters-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}
