import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/support/run-millrace.ts'
import { decodeText } from '../base/bytes.ts'
import { nodeFileSystem } from '../base/file-system.ts'
import { encodeLogEntry, type LogEntry, logPath, readLogEntry } from './output-log.ts'

const ENTRY: LogEntry = {
  epoch: 12,
  fence: 3,
  hash: '6b1f',
  rows: 25,
  bytes: 1_234,
  files: [{ path: 'dt=2026-11-24/part-000012.json', rows: 25, bytes: 1_234, crc: 77_345 }],
}

test('an entry is read as it was written', async (t) => {
  const folder = await temporaryFolder(t)
  await keep(folder, decodeText(encodeLogEntry(ENTRY)))
  assert.deepEqual(await readLogEntry(folder, ENTRY.epoch, nodeFileSystem), ENTRY)
})

test('an entry that is still JSON and says something else is damaged, whichever digit it is', async (t) => {
  const folder = await temporaryFolder(t)
  const text = decodeText(encodeLogEntry(ENTRY))
  for (const { index } of text.matchAll(/[1-8]/g)) {
    const changed = text.slice(0, index) + String(Number(text[index]) + 1) + text.slice(index + 1)
    JSON.parse(changed)
    await keep(folder, changed)
    await assert.rejects(readLogEntry(folder, ENTRY.epoch, nodeFileSystem), { code: 'corrupt-data' }, changed)
  }
})

test('an entry that another epoch wrote is damaged', async (t) => {
  const folder = await temporaryFolder(t)
  await keep(folder, decodeText(encodeLogEntry({ ...ENTRY, epoch: ENTRY.epoch + 1 })))
  await assert.rejects(readLogEntry(folder, ENTRY.epoch, nodeFileSystem), { code: 'corrupt-data' })
})

async function keep(folder: string, text: string): Promise<void> {
  const path = logPath(folder, ENTRY.epoch)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}
