// Each rule is shown what it must object to, and what it must let pass: a check that cannot fail is no check.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { circles } from './circles.ts'
import { docComments } from './doc-comments.ts'
import { layers } from './layers.ts'
import { purity } from './purity.ts'
import { reachable } from './reachable.ts'
import { fileSize, functionSize } from './size.ts'
import { type Problem, parseSources, type Rule } from './source.ts'
import { bannedWords, fileNames, testSelection, typeNames } from './words.ts'

/** Asserts that the rule objects to exactly the lines that end with the comment `// !`. */
function check(rule: Rule, files: Readonly<Record<string, string>>): void {
  const marked = Object.entries(files).flatMap(([path, text]) =>
    text.split('\n').flatMap((line, index) => (line.endsWith('// !') ? [`${path}:${index + 1}`] : [])),
  )
  const found = new Set(rule(parseSources(new Map(Object.entries(files)))).map(({ path, line }) => `${path}:${line}`))
  assert.deepEqual([...found].sort(), marked.sort())
}

function messages(problems: readonly Problem[]): string[] {
  return problems.map(({ path, line, message }) => `${path}:${line} ${message}`)
}

test('an import of a layer above is found in each of its forms', () => {
  check(layers, {
    'src/engine/group.ts': `
import { a } from '../base/a.ts'
import { b } from './b.ts'
import { c } from '../plan/c.ts'
import { d } from '../job/d.ts' // !
import type { e } from '../log/e.ts' // !
import { type f } from '../sinks/f.ts' // !
import '../server/g.ts' // !
export { h } from '../event/h.ts' // !
export * from '../metrics/i.ts' // !
export type { j } from '../sources/j.ts' // !
const k = await import('../cli/k.ts') // !
type L = import('../generator/l.ts').L // !
const worker = new URL('../job/worker.ts', import.meta.url) // !
import m from '../../test/support/m.ts' // !
`,
    'src/engine/group.test.ts': `import { d } from '../job/d.ts'`,
    'src/base/error.ts': `import { a } from '../batch/a.ts' // !`,
    'src/cli/main.ts': `import { a } from '../job/a.ts'\nimport { b } from '../spark/b.ts'`,
    'test/a.ts': `import { a } from '../src/job/a.ts'`,
    'src/stray.ts': `import { a } from './base/a.ts' // !`,
  })
})

test('the offending import and the allowed layers are named', () => {
  const sources = parseSources(new Map([['src/log/kafka.ts', `import { plan } from '../plan/node.ts'`]]))
  assert.deepEqual(messages(layers(sources)), [
    'src/log/kafka.ts:1 imports src/plan/node.ts, but log may import base, batch',
  ])
})

test('files that need each other are found; types and what is loaded later are no need', () => {
  check(circles, {
    'src/a.ts': `import { b } from './b.ts' // !`,
    'src/b.ts': `import './c.ts'`,
    'src/c.ts': `export { a } from './a.ts'`,
    'src/d.ts': `import { e } from './e.ts'\nimport { a } from './a.ts'`,
    'src/e.ts': `import type { d } from './d.ts'\nimport { type d as f } from './d.ts'\nconst g = () => import('./d.ts')`,
    'web/src/h.tsx': `import { h } from './h.tsx' // !`,
    'test/i.ts': `import { j } from './j.ts'`,
    'test/j.ts': `import { i } from './i.ts'`,
  })
  const pair = parseSources(new Map(Object.entries({ 'src/a.ts': `\nimport './b.ts'`, 'src/b.ts': `import './a.ts'` })))
  assert.deepEqual(messages(circles(pair)), ['src/a.ts:2 is in a circle of imports: src/a.ts -> src/b.ts -> src/a.ts'])
})

test('the page, the presets, the examples and the public files have their own bounds', () => {
  check(layers, {
    'web/app.tsx': `
import { render } from 'preact'
import { chart } from './chart.tsx'
import type { Status } from '../src/server/api.ts'
import { type Other } from '../src/server/api.ts'
import { VERSION } from '../src/server/api.ts' // !
import type { Epoch } from '../src/job/job.ts' // !
import { readFile } from 'node:fs' // !
`,
    'web/vite.config.ts': `import { join } from 'node:path'`,
    'src/pipelines/a.ts': `
import { stream } from '../index.ts'
import { shared } from './b.ts'
import { node } from '../plan/node.ts' // !
import { z } from 'zod' // !
`,
    'examples/web-log.ts': `
import { stream } from 'millrace'
import { join } from 'node:path'
import { stream2 } from '../src/index.ts'
import { node } from '../src/plan/node.ts' // !
import { z } from 'zod' // !
`,
    'src/index.ts': `
export { stream } from './plan/stream.ts'
export { Engine } from './engine/engine.ts' // !
`,
    'src/testing.ts': `
export { Engine } from './engine/engine.ts'
export { MemoryLog } from './log/memory-log.ts'
export { VirtualClock } from './base/virtual-clock.ts'
export { EmbeddedLog } from './log/embedded-log.ts' // !
`,
  })
})

test('everything that makes a pure layer impure is found', () => {
  check(purity, {
    'src/engine/a.ts': `
import { readFileSync } from 'node:fs' // !
import { hash } from 'node:crypto' // !
import type { Server } from 'node:http'
import pino from 'pino' // !
import { tableToIPC } from 'apache-arrow'
const a = Date.now() // !
const b = new Date() // !
const c = new Date(0).toISOString()
const d = performance.now() // !
const e = Math.random() + Math.max(1, 2) // !
const f = crypto.getRandomValues(new Uint8Array(4)) // !
setTimeout(() => {}, 1) // !
setInterval(() => {}, 1) // !
setImmediate(() => {}) // !
queueMicrotask(() => {}) // !
const g = process.env['HOME'] // !
console.log('x') // !
const h = async () => 1 // !
export async function i() {} // !
class J { async run() {} } // !
const k = Promise.resolve(1) // !
globalThis.name = '' // !
const m = import.meta.url // !
const url = fetch('/') // !
const n = Date() // !
const o = { now: Date.now } // !
const p = [performance] // !
const q = { process } // !
`,
    'src/ml/b.ts': `const a = await load() // !
for await (const b of load()) {} // !`,
  })
})

test('what only looks impure is let pass', () => {
  check(purity, {
    'src/plan/a.ts': `
// Date.now() and await in a comment.
const a = 'Date.now() // process.exit'
interface Operator { process(batch: string): void; setTimeout: number }
const b = { process: 1, performance: 2 }
const c = b.process + b.performance
class D { process() { return this.process } }
function e(process: number) { return process + 1 }
const f = e(1)
`,
    'src/log/a.ts': `const a = Date.now()\nasync function b() { await 1 }`,
    'src/engine/a.test.ts': `const a = Date.now()`,
  })
})

test('a pure layer does not borrow impurity from below', () => {
  check(purity, {
    'src/engine/a.ts': `import { now } from '../base/clock.ts'\nimport type { Clock } from '../base/timer.ts'`,
    'src/base/clock.ts': `
import { turn } from './random.ts'
export const now = () => Date.now() // !
`,
    'src/base/random.ts': 'export const turn = Math.random() // !',
    'src/base/timer.ts': 'export const tick = setTimeout(() => {}, 1)',
  })
})

test('long files and functions are found, and the callbacks of tests are not', () => {
  const lines = (count: number): string => '  f()\n'.repeat(count)
  const long = `\nfunction a() { // !\n${lines(59)}}\nfunction b() {\n${lines(58)}}\nconst c = () => { // !\n${lines(59)}}\n`
  check(functionSize, {
    'src/base/a.ts': `${long}class D {\n  e() { // !\n${lines(59)}}\n}\n/** ${lines(59)} */\nfunction g() {}\n`,
    'src/base/a.test.ts': `describe('x', () => {\n${lines(80)}test('y', { skip: false }, async () => {\n${lines(61)}})\n})${long}`,
  })
  assert.deepEqual(messages(fileSize(new Map([['src/base/a.css', 'a\n'.repeat(501)]]))), [
    'src/base/a.css:1 has 501 lines, at most 500',
  ])
  assert.deepEqual(fileSize(new Map([['src/base/a.ts', 'a\n'.repeat(500)]])), [])
})

test('an exported declaration without a doc comment is found', () => {
  check(docComments, {
    'src/base/a.ts': `
export function a() {} // !
/** What b is. */
export function b(): void
export function b(x?: number): void {}
export const c = 1 // !
export interface D {} // !
export type E = 1 // !
export class F {} // !
// Not a doc comment.
export default function g() {} // !
/** */
export const h = 1 // !
/** What i is. */
export const i = 1, j = 2
export const k = 1
export const l = 1

export const m = 1 // !
export const MS_PER_SECOND = 1_000
export const STEPS = [1, 2] // !
function inner() {}
export { inner }
`,
    'src/base/a.test.ts': 'export const a = 1',
    'test/support/a.ts': 'export const a = 1',
  })
})

test('a file that only its own test imports is found', () => {
  check(reachable, {
    'src/index.ts': `export { a } from './plan/a.ts'`,
    'src/plan/a.ts': `import type { B } from './b.ts'`,
    'src/plan/b.ts': `const worker = new URL('./c.ts', import.meta.url)`,
    'src/plan/c.ts': `const d = await import('./d.ts')`,
    'src/plan/d.ts': '',
    'src/plan/dead.ts': '// !',
    'src/plan/dead.test.ts': `import { dead } from './dead.ts'`,
  })
})

test('words and names that hide something are found', () => {
  const words = [
    `// TO${'DO'} later`,
    `/* FIX${'ME'} */`,
    `// @ts-ig${'nore'}`,
    `// biome-ig${'nore'} lint: x`,
    'mastodon',
  ]
  const found = bannedWords(new Map([['src/a.ts', words.join('\n')]]))
  assert.deepEqual(
    found.map(({ line }) => line),
    [1, 2, 3, 4],
  )
  const names = ['src/json-utils.ts', 'src/JsonParser.ts', 'src/error-handler.ts', 'src/a_b.ts', 'src/json-parser.ts']
  const named = fileNames(new Map([...names, 'web/vite.config.ts', 'src/a.test.ts', 'web/x.css'].map((n) => [n, ''])))
  assert.deepEqual(
    named.map(({ path }) => path),
    names.slice(0, 4),
  )
  check(typeNames, {
    'src/base/a.ts': `
class SinkManager {} // !
interface ErrorHandler {} // !
type ClockImpl = 1 // !
class Sink {}
const a: any = 1 // !
const b = 1 as any // !
const any = 'any'
`,
  })
})

test('a test that is singled out or left out is found', () => {
  check(testSelection, {
    'src/base/a.test.ts': `
test.only('a', () => {}) // !
describe.skip('b', () => {}) // !
it.todo('c') // !
test('d', { skip: true }, () => {}) // !
test('e', { only: true }, () => {}) // !
test('f', { skip: requirement('chromium').skip }, () => {})
test('g', requirement('data'), () => {})
list.only('x')
`,
  })
})
