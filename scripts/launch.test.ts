import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'

// The launcher is plain JavaScript without types.
const require = createRequire(import.meta.url)
const { packagesFit } = require('./install.cjs') as { packagesFit(root: string): boolean }
const { buildStale, isStale } = require('./build.cjs') as {
  buildStale(root: string, step: string, node: string): void
  isStale(root: string, step: string): boolean
}
const { withLock } = require('./lock.cjs') as {
  withLock<T>(root: string, action: () => T | Promise<T>): Promise<T>
}

const folder = mkdtempSync(join(tmpdir(), 'millrace-launch-'))
after(() => rmSync(folder, { recursive: true }))

describe('packages', () => {
  const root = join(folder, 'packages')
  const a = { version: '1.0.0', integrity: 'sha512-a' }
  const optional = { version: '2.0.0', integrity: 'sha512-b', optional: true }
  const fits = (wanted: object, installed: object | string): boolean => {
    rmSync(root, { recursive: true, force: true })
    write(join(root, 'package-lock.json'), JSON.stringify({ packages: { '': { name: 'x' }, ...wanted } }))
    const account = typeof installed === 'string' ? installed : JSON.stringify({ packages: installed })
    write(join(root, 'node_modules', '.package-lock.json'), account)
    if (typeof installed !== 'string') {
      for (const path of Object.keys(installed)) write(join(root, path, 'package.json'), '{}')
    }
    return packagesFit(root)
  }

  test('what the lockfile asks for is there', () => {
    assert.ok(fits({ 'node_modules/a': a }, { 'node_modules/a': a }))
    assert.ok(fits({ 'node_modules/a': a, 'node_modules/b': optional }, { 'node_modules/a': a }))
  })

  test('a missing, another, superfluous or half-installed package is noticed', () => {
    assert.ok(!fits({ 'node_modules/a': a }, {}))
    assert.ok(!fits({ 'node_modules/a': a }, { 'node_modules/a': { ...a, version: '1.0.1' } }))
    assert.ok(!fits({ 'node_modules/a': a }, { 'node_modules/a': { ...a, integrity: 'sha512-c' } }))
    assert.ok(!fits({}, { 'node_modules/a': a }))
    assert.ok(!fits({ 'node_modules/a': a }, '{"packages": {"node_modules/a"'))
  })

  test('a package whose folder is gone, or no node_modules at all, is noticed', () => {
    assert.ok(fits({ 'node_modules/a': a }, { 'node_modules/a': a }))
    rmSync(join(root, 'node_modules', 'a'), { recursive: true })
    assert.ok(!packagesFit(root))
    rmSync(join(root, 'node_modules'), { recursive: true })
    assert.ok(!packagesFit(root))
  })
})

describe('builds', () => {
  const root = join(folder, 'builds')
  const builder = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  const page = join(root, 'dist', 'web', 'index.html')
  write(join(root, 'web', 'main.ts'), 'first')
  // Stands for the real builder: copies the source to the folder named after --outDir.
  write(
    builder,
    `const { cpSync, mkdirSync } = require('node:fs')
     const out = process.argv[process.argv.indexOf('--outDir') + 1]
     mkdirSync(out, { recursive: true })
     cpSync('web/main.ts', out + '/index.html')`,
  )

  test('what was never built is built, and not again until an input changes', () => {
    assert.ok(isStale(root, 'web'))
    buildStale(root, 'web', process.execPath)
    assert.equal(readFileSync(page, 'utf8'), 'first')
    assert.ok(!isStale(root, 'web'))
    write(join(root, 'web', 'main.test.ts'), 'a test is not an input')
    write(join(root, 'web', 'main.ts'), 'first')
    assert.ok(!isStale(root, 'web'), 'the content counts, not the time')
    write(join(root, 'web', 'main.ts'), 'second')
    assert.ok(isStale(root, 'web'))
    buildStale(root, 'web', process.execPath)
    assert.equal(readFileSync(page, 'utf8'), 'second')
  })

  test('a build that fails leaves the old output and stays stale', () => {
    write(builder, 'process.exit(1)')
    write(join(root, 'web', 'main.ts'), 'third')
    assert.throws(() => buildStale(root, 'web', process.execPath), /building the dashboard failed/)
    assert.equal(readFileSync(page, 'utf8'), 'second')
    assert.ok(isStale(root, 'web'))
  })

  test('an output that was deleted is stale', () => {
    rmSync(join(root, 'dist', 'web'), { recursive: true })
    assert.ok(isStale(root, 'web'))
  })
})

describe('the lock', () => {
  test('is held by one at a time, and passed on', async () => {
    let holders = 0
    const action = async (): Promise<void> => {
      holders++
      assert.equal(holders, 1)
      await new Promise((resolve) => setTimeout(resolve, 5))
      holders--
    }
    await Promise.all([1, 2, 3, 4].map(() => withLock(folder, action)))
    await assert.rejects(
      withLock(folder, () => Promise.reject(new Error('inside'))),
      /inside/,
    )
    assert.equal(await withLock(folder, () => 'free again'), 'free again')
  })

  test('ends with its owner, even one that was killed', async () => {
    const lock = JSON.stringify(join(import.meta.dirname, 'lock.cjs'))
    const program = `require(${lock}).withLock(${JSON.stringify(folder)}, () => {
      console.log('held')
      return new Promise((resolve) => setTimeout(resolve, 60_000))
    })`
    const owner = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(owner.stdout, 'data')
    const waiting = withLock(folder, () => 'got it')
    owner.kill('SIGKILL')
    assert.equal(await waiting, 'got it')
  })
})

describe('running another Node instead of this one', () => {
  const runNode = JSON.stringify(join(import.meta.dirname, '..', 'bin', 'run-node.js'))
  const child = join(folder, 'child.mjs')
  write(
    child,
    `import { endWithParent } from ${runNode}
     if (!endWithParent()) throw new Error('not a child')
     if (process.argv[2] === 'exit') process.exit(7)
     if (process.argv[2] === 'arenas') process.exit(Number(process.env.MALLOC_ARENA_MAX))
     if (process.argv[2] === 'die') process.kill(process.pid, 'SIGKILL')
     const timer = setTimeout(() => {}, 60_000)
     let signals = 0
     process.on('SIGINT', () => {
       signals++
       setTimeout(() => process.exit(40 + signals), 50) // Time for a second one to come in.
     })
     process.stdout.write(process.pid + '\\n')`,
  )
  const start = (...args: string[]) => startIn(process.env, ...args)
  const startIn = (env: NodeJS.ProcessEnv, ...args: string[]) => {
    const call = [JSON.stringify([child, ...args]), '{ ownGroup: true }'].join(', ')
    const program = `import(${runNode}).then((m) => m.runInstead(process.execPath, ${call}))`
    return spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'], env })
  }

  test('is told to give memory back, unless somebody has said otherwise', async () => {
    const { MALLOC_ARENA_MAX: _, ...env } = process.env
    assert.deepEqual(await once(startIn(env, 'arenas'), 'exit'), [2, null])
    assert.deepEqual(await once(startIn({ ...env, MALLOC_ARENA_MAX: '5' }, 'arenas'), 'exit'), [5, null])
  })

  test('exits as the child does', async () => {
    assert.deepEqual(await once(start('exit'), 'exit'), [7, null])
    assert.deepEqual(await once(start('die'), 'exit'), [128 + 9, null])
  })

  test('passes on one signal for a key pressed once, though npm and the terminal both send it', async () => {
    const parent = start()
    await once(parent.stdout, 'data')
    parent.kill('SIGINT')
    await new Promise((resolve) => setTimeout(resolve, 10)) // Two at once would be one to the kernel already.
    parent.kill('SIGINT')
    assert.deepEqual(await once(parent, 'exit'), [41, null])
  })

  test('takes the child along when it is killed', async () => {
    const parent = start()
    const [firstLine] = await once(parent.stdout, 'data')
    parent.kill('SIGKILL')
    const childPid = Number(firstLine)
    for (let attempt = 0; runs(childPid) && attempt < 1000; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    const survived = runs(childPid)
    if (survived) process.kill(childPid, 'SIGKILL')
    assert.ok(!survived)
  })
})

describe('the test command', () => {
  const run = (file: string, content: string) => {
    write(join(folder, file), content)
    const { NODE_TEST_CONTEXT, ...env } = process.env
    const args = [join(import.meta.dirname, 'test.ts'), join(folder, file)]
    return spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', env })
  }

  test('passes when a test passes, and ends with the counts', () => {
    const { status, stdout } = run('fine.test.mjs', `import { test } from 'node:test'\ntest('a', () => {})`)
    assert.equal(status, 0)
    assert.match(stdout, /tests 1\n.*\n.*pass 1\n.*fail 0\n.*\n.*skipped 0/)
  })

  test('fails when a test fails', () => {
    assert.equal(run('red.test.mjs', `import { test } from 'node:test'\ntest('a', () => { throw 1 })`).status, 1)
  })

  test('fails when nothing was tested', () => {
    const { status, stderr } = run('empty.test.mjs', '')
    assert.equal(status, 1)
    assert.match(stderr, /empty\.test\.mjs holds no test\nerror: no test was found/)
  })
})

/** Dead processes that nobody has asked about yet (zombies) do not run. */
function runs(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

function write(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
}
