// A36-A45, B37-B40, D13-D16, E27-E32: what the doctor sees, and the page of troubles.

import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { checkMemory, checkNode } from '../../src/cli/doctor/machine-checks.ts'
import { TROUBLES, troublesPage } from '../../src/cli/doctor/troubles.ts'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'

interface Found {
  readonly name: string
  readonly fine: boolean
  readonly detail: string
  readonly fix: string
  readonly note?: boolean
}

async function examine(
  folder: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; found: Map<string, Found> }> {
  const { code, stdout } = await runMillrace(['doctor', '--port', '0', '--json', ...args], { cwd: folder, env })
  return { code, found: new Map((JSON.parse(stdout) as Found[]).map((one) => [one.name, one])) }
}

test('the page of troubles is what the command writes, and has every trouble with a fix', async (t) => {
  const page = await readFile('docs/troubleshooting.md', 'utf8')
  assert.equal(troublesPage(), page)
  const { stdout } = await runMillrace(['doctor', '--markdown'], { cwd: await temporaryFolder(t) })
  assert.equal(stdout, page)
  const range = (letter: string, first: number, last: number): string[] =>
    Array.from({ length: last - first + 1 }, (_, index) => `${letter}${first + index}`)
  assert.deepEqual(
    TROUBLES.map(({ id }) => id),
    [...range('A', 36, 45), ...range('B', 37, 40), ...range('D', 13, 16), ...range('E', 27, 32)],
  )
  for (const { symptom, here, fix } of TROUBLES) assert.ok(symptom && here && fix)
})

test('a machine that has all it needs is fine; what a run would read is looked at when it is named', async (t) => {
  const folder = await temporaryFolder(t)
  const { code, found } = await examine(folder, ['--preset', 'user-activity'])
  assert.equal(code, 0, JSON.stringify([...found.values()]))
  assert.match(found.get('topic')?.detail ?? '', /there is no topic "user_activity" yet/)
  assert.equal(found.get('topic')?.note, true)
  await runMillrace(['generate', '--topic', 'clicks', '--num-events', '7'], { cwd: folder })
  const { found: later } = await examine(folder, ['--topic', 'clicks'])
  assert.match(later.get('topic')?.detail ?? '', /^"clicks" has 7 records/)
  assert.equal(later.get('topic')?.note, false)
  const checks = new Set([...found.keys(), 'kafka', 'postgres'])
  for (const { id, check } of TROUBLES) assert.ok(check === undefined || checks.has(check), id)
})

test('each lack is found, with what to do: a port in use, a file for a folder, servers that do not answer', async (t) => {
  const folder = await temporaryFolder(t)
  const { port, close } = await listening(t)
  await writeFile(join(folder, 'taken'), '')
  const args = ['--port', String(port), '--output', 'taken/below']
  const env = { DATABASE_URL: 'postgres://me@127.0.0.1:1/none', KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1' }
  const { code, found } = await examine(folder, args, env)
  assert.equal(code, 3)
  for (const [name, fix] of [
    ['port', /--port/],
    ['output', /--output/],
    ['postgres', /server|address|start/],
    ['kafka', /KAFKA_BOOTSTRAP_SERVERS/],
  ] as const) {
    assert.equal(found.get(name)?.fine, false, name)
    assert.match(found.get(name)?.fix ?? '', fix)
  }
  await close()
})

test('a Node that is too old and too little memory are seen', () => {
  assert.deepEqual(
    ['20.19.0', '22.17.9', '22.18.0', '24.0.0'].map((version) => checkNode(version).fine),
    [false, false, true, true],
  )
  assert.deepEqual(
    [100e6, 600e6].map((free) => checkMemory(free).fine),
    [false, true],
  )
})

test('a home that is a file is found', async (t) => {
  const folder = await temporaryFolder(t)
  await mkdir(join(folder, 'x'))
  await writeFile(join(folder, 'x', 'home'), '')
  const { code, found } = await examine(folder, ['--home', 'x/home'])
  assert.equal(code, 3)
  assert.equal(found.get('home')?.fine, false)
})

async function listening(t: TestContext): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const close = (): Promise<void> => new Promise((done) => server.close(() => done()))
  t.after(close)
  return { port: (server.address() as AddressInfo).port, close }
}
