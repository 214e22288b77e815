import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { MillraceError } from './error.ts'
import { acquireLock } from './lock-file.ts'

const root = mkdtempSync(join(tmpdir(), 'lock-'))
after(() => rmSync(root, { recursive: true }))

test('a lock that is held says who holds it and since when, to this process too', async () => {
  const path = join(root, 'held')
  const lock = await acquireLock(path, 'the demo')
  const since = JSON.parse(readFileSync(path, 'utf8')).since
  await assert.rejects(acquireLock(path, 'another run'), (error) => {
    assert.ok(error instanceof MillraceError)
    assert.equal(error.code, 'unavailable')
    assert.equal(error.message, `${root} is in use by the demo (process ${process.pid}, since ${since})`)
    assert.equal(error.hint, 'end that process first (`millrace stop`), or use another folder')
    return true
  })
  await lock.release()
  await (await acquireLock(path, 'another run')).release()
  assert.ok(!readdirSync(root).some((name) => name.startsWith('held')))
})

test('the lock of a killed process is taken over', async () => {
  const path = join(root, 'killed')
  const holder = startHolder(path)
  assert.equal(await answer(holder), 'locked')
  await assert.rejects(acquireLock(path, 'heir'), /is in use by holder/)
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  await (await acquireLock(path, 'heir')).release()
})

for (const [what, change] of [
  ['another start of the machine', { bootId: 'an older one' }],
  ['an older process with the same id', { processStart: '1' }],
] as const) {
  test(`a lock of ${what} is taken over`, async () => {
    const path = join(root, 'stale')
    const lock = await acquireLock(path, 'first')
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }))
    const heir = await acquireLock(path, 'heir')
    await lock.release()
    assert.equal(JSON.parse(readFileSync(path, 'utf8')).who, 'heir', 'whoever lost the lock does not release it')
    await heir.release()
  })
}

test('a lock of another machine is never taken over', async () => {
  const path = join(root, 'elsewhere')
  await acquireLock(path, 'first')
  const owner = { ...JSON.parse(readFileSync(path, 'utf8')), host: `not-${hostname()}`, bootId: 'x', pid: 1 }
  writeFileSync(path, JSON.stringify(owner))
  await assert.rejects(acquireLock(path, 'second'), (error) => {
    assert.ok(error instanceof MillraceError)
    assert.match(error.message, /is in use by first \(process 1 on not-/)
    assert.match(error.hint, /remove .*elsewhere$/)
    return true
  })
})

test('a file that is no lock does not lock', async () => {
  for (const text of ['', '{"pid":', 'null', '{"pid":1}']) {
    const path = join(root, 'garbage')
    writeFileSync(path, text)
    await (await acquireLock(path, 'first')).release()
  }
})

test('of many processes that find the same dead lock one gets it', async () => {
  const path = join(root, 'race')
  for (let round = 0; round < 3; round++) {
    writeFileSync(path, JSON.stringify(deadOwner()))
    const holders = Array.from({ length: 5 }, () => startHolder(path))
    const answers = await Promise.all(holders.map(answer))
    assert.deepEqual(answers.toSorted(), ['held', 'held', 'held', 'held', 'locked'])
    for (const holder of holders) holder.kill('SIGKILL')
    await Promise.all(
      holders.map((holder) => holder.exitCode === null && holder.signalCode === null && once(holder, 'exit')),
    )
  }
})

test('a folder that is not there is an error for people', async () => {
  await assert.rejects(acquireLock(join(root, 'missing', 'lock'), 'first'), (error) => {
    return error instanceof MillraceError && error.code === 'invalid-option' && error.message.startsWith('cannot lock ')
  })
})

function deadOwner(): object {
  return { who: 'dead', pid: 2 ** 22 + 1, host: hostname(), since: '', bootId: 'an older one', processStart: '1' }
}

function startHolder(path: string): ChildProcess {
  const program = `
    import { acquireLock } from '${new URL('./lock-file.ts', import.meta.url)}'
    await acquireLock('${path}', 'holder').then(() => console.log('locked'), () => console.log('held'))
    setInterval(() => {}, 1000)`
  return spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function answer(holder: ChildProcess): Promise<string> {
  assert.ok(holder.stdout)
  const [data] = await once(holder.stdout, 'data')
  return String(data).trim()
}

test('a holder that hangs can be left to itself, or ended, and does not hold the lock any more', async () => {
  const path = join(root, 'hanging')
  const holder = startHolder(path)
  assert.equal(await answer(holder), 'locked')
  holder.kill('SIGSTOP')
  const next = await acquireLock(path, 'next', 'leave')
  assert.equal(await next.held(), true)
  assert.equal(holder.exitCode ?? holder.signalCode, null)
  await next.release()
  holder.kill('SIGKILL')
  await once(holder, 'exit')

  const second = startHolder(path)
  assert.equal(await answer(second), 'locked')
  second.kill('SIGSTOP')
  const ended = once(second, 'exit')
  const last = await acquireLock(path, 'last', 'end')
  assert.deepEqual(await ended, [null, 'SIGKILL'])
  await last.release()
})
