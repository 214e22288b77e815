// What the documents show is true: every ```ts block of README.md and docs/ compiles and runs, every command in a ```sh
// block of them works. A block that cannot run here says so and why after its language: ```ts no-run needs a broker

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { after, describe, test } from 'node:test'
import { PRESETS } from '../src/pipelines/index.ts'
import { type Fence, findFences, findRelativeLinks } from './support/markdown.ts'

interface Block extends Fence {
  /** The document, from the root of the project. */
  readonly document: string
}

const ROOT = join(import.meta.dirname, '..')
/** Ends what hangs; a machine that is busy with other tests takes its time. */
const BLOCK_TIMEOUT_MS = 150_000

/** Pages whose commands are run as those of README.md are: one for each preset. */
const PRESET_PAGES = 'docs/presets/'

/** Commands that are shown and not run here. */
const NOT_RUN: readonly (readonly [command: RegExp, reason: string])[] = [
  [/^git clone /, 'needs the network'],
  [/^cd /, 'the commands run in a folder of their own'],
  [/^npm (ci|install|pack)\b/, 'installs packages, or makes one'],
  [/^npm start$/, 'runs until it is stopped'],
  [/^(npx )?millrace demo$/, 'runs until it is stopped'],
  [/^npm (test|run (check|test:full|bench|format|build))\b/, 'has its own tests, or is what runs this one'],
]

const documents = new Map(
  ['README.md', ...markdownBelow('docs')].map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]),
)
const blocks = [...documents].flatMap(([document, text]): Block[] =>
  findFences(text).map((fence) => ({ ...fence, document })),
)
const programs = blocks.filter(({ language }) => language === 'ts' || language === 'typescript')
const commands = blocks.filter(({ language }) => language === 'sh')

const folder = mkdtempSync(join(tmpdir(), 'millrace-docs-'))
after(() => rmSync(folder, { recursive: true }))
const environment = prepareEnvironment()

test('README.md shows the library and the command at work', () => {
  assert.ok(programs.some(({ document }) => document === 'README.md'))
  assert.ok(commands.length > 0)
})

test('each preset has a page that shows how it is run', () => {
  for (const name of PRESETS.keys()) {
    const shown = commands.filter(({ document }) => document === `${PRESET_PAGES}${name}.md`)
    for (const what of ['generate', 'run', 'query', 'run .*--input']) {
      const command = new RegExp(`millrace\\.js ${what} `)
      assert.ok(
        shown.some(({ code }) => command.test(code)),
        `${name}: ${what}`,
      )
    }
  }
})

test('a block that is not run says why', () => {
  const silent = blocks.filter(({ info }) => /^no-run\s*$/.test(info))
  assert.deepEqual(silent.map(nameOf), [])
})

test('links lead somewhere', () => {
  const broken = [...documents].flatMap(([document, text]) =>
    findRelativeLinks(text)
      .filter((target) => !existsSync(join(ROOT, dirname(document), target)))
      .map((target) => `${document}: ${target}`),
  )
  assert.deepEqual(broken, [])
})

test('messages that are explained are those of the code', () => {
  const table = documents.get('docs/errors.md')?.split('## What you see')[1] ?? ''
  const messages = [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, message]) => message as string)
  const code = [join(ROOT, 'src'), join(ROOT, 'bin')].map(textBelow).join('')
  // What the system says is not in our code.
  const unknown = messages.filter((message) => !message.startsWith('ENOSPC') && !code.includes(message))
  assert.ok(messages.length > 15, `${messages.length} messages`)
  assert.deepEqual(unknown, [])
})

test('every program compiles', async () => {
  for (const program of programs) {
    // As many empty lines as it takes for the compiler to name the lines of the document.
    writeFileSync(join(folder, fileOf(program)), '\n'.repeat(program.line - 1) + program.code)
  }
  const configuration = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      typeRoots: [join(ROOT, 'node_modules/@types')],
      paths: { millrace: [join(ROOT, 'src/index.ts')], 'millrace/testing': [join(ROOT, 'src/testing.ts')] },
      // Example code need not be fit for publishing, nor use each name that it introduces.
      isolatedDeclarations: false,
      declaration: false,
      noUnusedLocals: false,
    },
    include: [],
    files: programs.map(fileOf),
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(configuration))
  await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.'])
})

describe('every program runs', () => {
  for (const program of programs) {
    if (isNotRun(program)) continue
    test(nameOf(program), async () => {
      writeFileSync(join(folder, fileOf(program)), '\n'.repeat(program.line - 1) + program.code)
      await run(process.execPath, ['--import', join(ROOT, 'test/support/resolve-millrace.ts'), fileOf(program)])
    })
  }
})

describe('every command works', () => {
  for (const block of commands) {
    if (isNotRun(block)) continue
    test(nameOf(block), async (context) => {
      const script = scriptOf(block, (message) => context.diagnostic(message))
      await run('bash', ['-euo', 'pipefail', '-c', script])
    })
  }
})

/** The commands of a block as they are run: without prompts, and without those that are not run here. */
function scriptOf({ code }: Block, report: (message: string) => void): string {
  const lines = code.replaceAll('\\\n', ' ').split('\n')
  return lines
    .map((line) => line.replace(/^\$ /, ''))
    .filter((line) => {
      const command = line.replace(/\s+#\s.*$/, '').trim()
      const reason = NOT_RUN.find(([pattern]) => pattern.test(command))?.[1]
      if (reason !== undefined) report(`not run: ${command} (${reason})`)
      return reason === undefined
    })
    .join('\n')
}

/** A folder in which `millrace` and `npm start` are those of this checkout; what they leave behind stays in it. */
function prepareEnvironment(): NodeJS.ProcessEnv {
  const programs = join(folder, 'bin')
  mkdirSync(programs)
  const millrace = `"${process.execPath}" --disable-warning=ExperimentalWarning "${join(ROOT, 'bin/millrace.js')}"`
  writeProgram(join(programs, 'millrace'), `exec ${millrace} "$@"`)
  writeProgram(join(programs, 'npx'), `[ "$1" = millrace ] || exit 2\nshift\nexec ${millrace} "$@"`)
  // `npm start --silent -- --duration 10s` is `millrace demo --duration 10s`, see scripts/launch.cjs.
  writeProgram(
    join(programs, 'npm'),
    `[ "$1 $2 $3" = "start --silent --" ] || exit 2\nshift 3\nexec ${millrace} demo "$@"`,
  )
  symlinkSync(join(ROOT, 'bin/millrace.js'), join(programs, 'millrace.js'))
  symlinkSync(join(ROOT, 'src'), join(folder, 'src'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  if (existsSync(join(ROOT, 'examples'))) symlinkSync(join(ROOT, 'examples'), join(folder, 'examples'))
  const { NODE_TEST_CONTEXT, ...inherited } = process.env
  return { ...inherited, PATH: `${programs}:${inherited['PATH']}`, MILLRACE_HOME: join(folder, 'home') }
}

function writeProgram(file: string, script: string): void {
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
}

/** Runs a program in the folder; fails with all that it said when it fails, or does not end and has to be stopped. */
async function run(program: string, args: readonly string[]): Promise<void> {
  // A process group of its own, so that what a script has started can be stopped with it.
  const child = spawn(program, args, {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text))
  let stopped = ''
  const timer = setTimeout(() => {
    stopped = ` after ${BLOCK_TIMEOUT_MS / 1000} s, when it was stopped`
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  }, BLOCK_TIMEOUT_MS)
  const [code, signal] = await once(child, 'close')
  clearTimeout(timer)
  assert.equal(code, 0, `ended with ${code ?? signal}${stopped}\n${said}`)
}

function isNotRun({ info }: Block): boolean {
  return /^no-run\b/.test(info)
}

function nameOf({ document, line, code }: Block): string {
  return `${document}:${line} ${code.split('\n').find((text) => text.trim() !== '') ?? ''}`
}

function fileOf({ document, line }: Block): string {
  return `${document.replace(/\.md$/, '').replaceAll('/', '-')}-line-${line}.ts`
}

/** All programs of a folder, without their tests. */
function textBelow(path: string): string {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[jt]s$/.test(entry.name) && !entry.name.endsWith('.test.ts'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('')
}

function markdownBelow(path: string): string[] {
  if (!existsSync(join(ROOT, path))) return []
  return readdirSync(join(ROOT, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort()
}
