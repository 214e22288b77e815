// The first hour of a user, with the package as it is published, installed by npm into a folder of the user's own: types,
// a run, a restart. Packages come from npm's cache; where one is missing there and no registry can be reached, it is skipped. npm
// copies 400 MB, so this is for `npm run test:full`; test/package.test.ts shows the same with the packages of this checkout.

import assert from 'node:assert/strict'
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pack } from '../support/pack.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const INSTALL_TIMEOUT_MS = 240_000
const NOT_FULL = process.env['MILLRACE_TEST_SCALE'] === 'full' ? false : 'npm run test:full installs the package'

const folder = mkdtempSync(join(tmpdir(), 'millrace-first-hour-'))
const home = join(folder, 'shop')
after(() => rmSync(folder, { recursive: true }))

const PIPELINE = `
import { clickEvent, count, jsonLines, logSource, pipeline, stream, sum, tumbling } from 'millrace'

const pages = stream(logSource('clicks'), clickEvent)
  .withWatermark('event_time', '10 seconds')
  .groupBy('page_url')
  .window(tumbling('1 minute'))
  .aggregate({ views: count(), revenue: sum('amount') })

export default pipeline('shop').query('pages', pages, [jsonLines('out/pages')])
`

const CLICKS = [
  '{"event_time":"2026-11-24T10:00:05Z","user_id":"ada","event_type":"page_view","page_url":"/shoes"}',
  '{"event_time":"2026-11-24T10:00:41Z","user_id":"bob","event_type":"purchase","page_url":"/shoes","amount":79.9}',
  '{"event_time":"2026-11-24T10:02:41Z","user_id":"bob","event_type":"page_view","page_url":"/"}',
]

test('packed, installed by npm, typed, run and started again in a folder of the user', {
  timeout: 400_000,
  skip: NOT_FULL,
}, (t) => {
  const [tarball] = pack(folder).length > 0 ? readdirSync(folder).filter((name) => name.endsWith('.tgz')) : []
  mkdirSync(home)
  writeFileSync(join(home, 'package.json'), '{ "name": "shop", "private": true, "type": "module" }')
  const installed = spawnSync(
    'npm',
    ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', join(folder, tarball as string)],
    { cwd: home, encoding: 'utf8', timeout: INSTALL_TIMEOUT_MS },
  )
  if (/E(NOTFOUND|AI_AGAIN|CONNREFUSED|TIMEDOUT|NETUNREACH|HOSTUNREACH|NOTCACHED)\b/.test(installed.stderr)) {
    return t.skip('npm reaches no registry, and its cache does not have all packages')
  }
  assert.equal(installed.status, 0, installed.stderr)

  writeFileSync(join(home, 'shop.ts'), PIPELINE)
  assert.equal(compile().status, 0, compile().stdout)
  writeFileSync(join(home, 'shop.ts'), PIPELINE.replace("'amount'", "'amuont'"))
  assert.match(compile().stdout, /shop\.ts\(8,\d+\): error TS\d+: .*"amuont"/)
  writeFileSync(join(home, 'shop.ts'), PIPELINE)

  writeFileSync(join(home, 'clicks.ndjson'), CLICKS.map((line) => `${line}\n`).join(''))
  millrace('produce', 'clicks.ndjson', '--topic', 'clicks')
  const once = ['run', 'shop.ts', '--once', '--checkpoint', 'state', '--json']
  assert.equal(JSON.parse(millrace(...once).stdout).rowsRead, 3)
  const again = JSON.parse(millrace(...once).stdout)
  assert.deepEqual([again.rowsRead, again.rowsBefore], [3, 3])
  const files = readdirSync(join(home, 'out/pages')).filter((name) => name.endsWith('.ndjson'))
  const rows = files.map((name) => JSON.parse(readFileSync(join(home, 'out/pages', name), 'utf8')))
  assert.deepEqual(
    rows.map(({ page_url, views, revenue }) => ({ page_url, views, revenue })),
    [{ page_url: '/shoes', views: 2, revenue: 79.9 }],
  )
})

function compile(): SpawnSyncReturns<string> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024']
  return spawnSync(process.execPath, [tsc, ...options, 'shop.ts'], { cwd: home, encoding: 'utf8' })
}

/** As npm has linked it, with the Node that is on PATH. */
function millrace(...args: string[]): SpawnSyncReturns<string> {
  const run = spawnSync(join(home, 'node_modules/.bin/millrace'), args, { cwd: home, encoding: 'utf8' })
  assert.equal(run.status, 0, run.stderr)
  return run
}
