'use strict'

const { spawnSync } = require('node:child_process')
const { createHash } = require('node:crypto')
const {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} = require('node:fs')
const { join } = require('node:path')

/**
 * What is built, by name. `inputs` are files and folders whose content decides whether `output` is stale; `commands` are
 * run with Node in the root and must leave the whole output in the folder that they are given.
 */
const STEPS = {
  web: {
    what: 'the dashboard',
    inputs: ['web', 'src/server/api.ts', 'package-lock.json'],
    output: 'dist/web',
    commands: (folder) => [
      ['node_modules/vite/bin/vite.js', ...['build', 'web', '--outDir', folder, '--emptyOutDir', '--logLevel', 'warn']],
    ],
  },
  wasm: {
    what: 'the decoder',
    inputs: ['src/batch/wasm', 'package-lock.json'],
    output: 'dist/wasm',
    commands: (folder) => [
      compileWasm('src/batch/wasm/index.ts', `${folder}/decoder.wasm`),
      compileWasm('src/batch/wasm/lz4.ts', `${folder}/lz4.wasm`),
    ],
  },
  library: {
    what: 'the library and command for publishing',
    inputs: ['src', 'tsconfig.json', 'tsconfig.build.json', 'scripts/bundle.ts', 'package-lock.json'],
    output: 'dist/src',
    commands: (folder) => [
      ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', folder],
      ['scripts/bundle.ts', folder],
    ],
  },
  bundle: {
    what: 'the command in few files',
    inputs: ['src', 'scripts/bundle.ts', 'package-lock.json'],
    output: 'dist/bundle',
    commands: (folder) => [['scripts/bundle.ts', folder]],
  },
}

/** The host brings the memory. Addresses have 32 bits, and code says so where it matters (warning 201). */
function compileWasm(source, output) {
  return [
    ...['node_modules/assemblyscript/bin/asc.js', source, '-o', output],
    ...['-O3', '--converge', '--runtime', 'stub', '--noAssert', '--use', 'abort='],
    ...['--importMemory', '--maximumMemory', '65536', '--disableWarning', '201'],
    ...['--enable', 'simd', '--enable', 'bulk-memory'],
  ]
}

/** Says whether the output of the step is missing or was made from other inputs. */
function isStale(root, stepName) {
  const { output } = STEPS[stepName]
  return !existsSync(join(root, output)) || readStamp(root, stepName) !== hashInputs(root, stepName)
}

/** Builds the step if it is stale. The output changes as a whole, and only after the build has succeeded. */
function buildStale(root, stepName, node) {
  const hash = hashInputs(root, stepName) // Before the build: what changes meanwhile is stale afterwards.
  const { what, output, commands } = STEPS[stepName]
  if (existsSync(join(root, output)) && readStamp(root, stepName) === hash) return
  process.stderr.write(`millrace: building ${what}\n`)
  const fresh = join(root, `${output}.${process.pid}.new`)
  const old = join(root, `${output}.${process.pid}.old`)
  try {
    for (const command of commands(fresh)) {
      const { error, status, stdout, stderr } = spawnSync(node, command, { cwd: root, encoding: 'utf8' })
      if (error !== undefined) throw error
      if (status !== 0) {
        process.stderr.write(stdout + stderr)
        throw new Error(`building ${what} failed, see above`)
      }
    }
    rmSync(stampFile(root, stepName), { force: true })
    if (existsSync(join(root, output))) renameSync(join(root, output), old)
    renameSync(fresh, join(root, output))
    mkdirSync(join(root, 'dist', '.stamps'), { recursive: true })
    writeFileSync(stampFile(root, stepName), hash)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
    rmSync(old, { recursive: true, force: true })
  }
}

function readStamp(root, stepName) {
  try {
    return readFileSync(stampFile(root, stepName), 'utf8')
  } catch {
    return undefined
  }
}

function stampFile(root, stepName) {
  return join(root, 'dist', '.stamps', stepName)
}

function hashInputs(root, stepName) {
  const hash = createHash('sha256')
  for (const file of STEPS[stepName].inputs.flatMap((input) => listFiles(root, input))) {
    const content = readFileSync(join(root, file))
    hash.update(`${file}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

/** The files under `path` in a stable order. Tests are left out: no output depends on them. */
function listFiles(root, path) {
  const stat = statSync(join(root, path), { throwIfNoEntry: false })
  if (stat === undefined) return []
  if (!stat.isDirectory()) return path.endsWith('.test.ts') ? [] : [path]
  return readdirSync(join(root, path))
    .filter((name) => name !== 'node_modules')
    .sort()
    .flatMap((name) => listFiles(root, `${path}/${name}`))
}

module.exports = { buildStale, isStale }
