/** `npm run chaos -- planted-bugs` plants every bug; here only as many as a quick run bears. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PLANTED_BUGS } from './bugs.ts'
import { spoil } from './spoil.ts'
import { tryOut } from './trial.ts'

const ROOT = join(import.meta.dirname, '../..')
const QUICK = 'the fastest partition decides'

test('every planted bug has a place in the source as it is now, and a test file that it belongs to', () => {
  assert.equal(new Set(PLANTED_BUGS.map(({ name }) => name)).size, PLANTED_BUGS.length)
  for (const bug of PLANTED_BUGS) {
    const source = readFileSync(join(ROOT, bug.file), 'utf8')
    assert.notEqual(spoil(source, bug), source)
    assert.ok(existsSync(join(ROOT, bug.caughtBy)), bug.caughtBy)
  }
})

test('a planted bug is caught, and the program as it is passes', async () => {
  const bug = PLANTED_BUGS.find(({ name }) => name === QUICK)
  assert.ok(bug)
  const [spoilt, sound] = await Promise.all([tryOut(bug.caughtBy, bug), tryOut(bug.caughtBy, undefined)])
  assert.deepEqual([sound.failed, sound.broken], [[], false])
  assert.ok(sound.passed > 0)
  assert.ok(spoilt.failed.includes('the slowest partition decides'), JSON.stringify(spoilt))
})

test('a bug that breaks the program outright is not taken for caught', async () => {
  const trial = await tryOut('test/timelines/watermark.test.ts', {
    name: 'no such bug',
    file: '',
    edits: [],
    caughtBy: '',
  })
  assert.equal(trial.broken, true)
})
