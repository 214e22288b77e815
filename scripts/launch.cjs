// Every npm script is `node scripts/launch.cjs NAME [argument...]`: it installs the packages if they are missing or stale,
// builds what is stale, and runs the command on a Node that runs TypeScript.
//
// Plain CommonJS for Node 20, with nothing but built-in modules: it is the first thing that runs in a fresh clone. It
// says what it does on stderr; stdout belongs to the command. Several may run at the same time.

'use strict'

const { join } = require('node:path')
const { buildStale, isStale } = require('./build.cjs')
const { installPackages, packagesFit } = require('./install.cjs')
const { withLock } = require('./lock.cjs')

const ROOT = join(__dirname, '..')

/** What starts the command a thousand times starts what was just bundled from the sources. */
const BUNDLED = { MILLRACE_TEST_BUNDLE: '1' }

/** What each script builds first (steps of build.cjs), and the program that it then runs. */
const COMMANDS = {
  start: { builds: ['web', 'wasm'], program: ['bin/millrace.js', 'demo'] },
  test: { builds: ['web', 'wasm', 'bundle'], program: ['scripts/test.ts'], env: BUNDLED },
  'test:full': {
    builds: ['web', 'wasm', 'bundle'],
    program: ['scripts/test.ts'],
    env: { ...BUNDLED, MILLRACE_TEST_SCALE: 'full' },
  },
  check: { builds: ['web', 'wasm'], program: ['scripts/check.ts'] },
  format: { builds: [], program: ['node_modules/@biomejs/biome/bin/biome', 'check', '--write'] },
  'build:web': { builds: ['web'] },
  'build:wasm': { builds: ['wasm'] },
  build: { builds: ['web', 'wasm', 'library'] },
  kafka: { builds: [], program: ['scripts/kafka.ts'] },
  spark: { builds: [], program: ['scripts/spark.ts'] },
  sbom: { builds: [], program: ['scripts/sbom.ts'] },
  chaos: { builds: ['wasm', 'bundle'], program: ['test/chaos/run.ts'], env: BUNDLED },
  bench: { builds: ['wasm'], nodeArgs: ['--expose-gc'], program: ['bench/run.ts'] },
}

async function main([name, ...args]) {
  const command = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name] : undefined
  if (command === undefined) {
    return fail(2, `usage: node scripts/launch.cjs ${Object.keys(COMMANDS).join(' | ')}`)
  }

  const { findNode, NO_NODE_MESSAGE, runInstead } = await import('../bin/run-node.js')
  const findOwnNode = () => findNode(__filename)
  const bringsNode = process.platform === 'linux' && process.arch === 'x64'
  const installed = () => packagesFit(ROOT) && (findOwnNode() !== undefined || !bringsNode)

  if (!installed() || command.builds.some((step) => isStale(ROOT, step))) {
    await withLock(ROOT, () => {
      // Looked at again: somebody else may have done it while this one waited.
      if (!installed()) installPackages(ROOT)
      const node = findOwnNode()
      if (node !== undefined) for (const step of command.builds) buildStale(ROOT, step, node)
    })
  }
  const node = findOwnNode()
  if (node === undefined) return fail(3, NO_NODE_MESSAGE)
  if (command.program === undefined) return
  const [program, ...firstArgs] = command.program
  // Node 22 warns that it strips types; whoever runs this cannot do anything about that.
  const nodeArgs = ['--disable-warning=ExperimentalWarning', ...(command.nodeArgs ?? [])]
  await runInstead(node, [...nodeArgs, join(ROOT, program), ...firstArgs, ...args], {
    ownGroup: name === 'start',
    env: { ...process.env, ...command.env },
    cwd: ROOT,
  })
}

function fail(exitCode, message) {
  process.stderr.write(`${message.trimEnd()}\n`)
  process.exitCode = exitCode
}

main(process.argv.slice(2)).catch((error) => fail(1, `error: ${error.message}`))
