// docs/requirements.md is whole: each item of the source systems is shown by something that is there, or says what will show it.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const PAGE = 'docs/requirements.md'
/** How many items each system has, and the numbers that stand for none. */
const SYSTEMS: readonly (readonly [letter: string, count: number])[] = [
  ['A', 55],
  ['B', 44],
  ['C', 25],
  ['D', 21],
  ['E', 36],
]
const UNUSED: readonly string[] = ['A34', 'D11', 'E14']
const AREAS: readonly string[] = ['models', 'funnels', 'registry', 'Kubernetes']

const scripts = Object.keys((JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object }).scripts)
const page = readFileSync(PAGE, 'utf8')

test('every item is listed once, in order', () => {
  const wanted = SYSTEMS.flatMap(([letter, count]) =>
    Array.from({ length: count }, (_, index) => `${letter}${index + 1}`).filter((id) => !UNUSED.includes(id)),
  )
  assert.deepEqual(
    rowsOf(page).map(({ id }) => id),
    wanted,
  )
})

test('every item is shown by a test or command that is there, or names the area that will serve it', () => {
  assert.deepEqual(rowsOf(page).flatMap(problemsOf), [])
})

test('what is wrong is seen', () => {
  const problems = (shown: string): string[] => rowsOf(`| A1 | x | ${shown} |`).flatMap(problemsOf)
  assert.deepEqual(problems(''), ['A1 is shown by nothing'])
  assert.deepEqual(problems('[a](../test/gone.test.ts)'), ['A1: there is no ../test/gone.test.ts'])
  assert.deepEqual(problems('`npm run gone`'), ['A1: there is no `npm run gone`'])
  assert.deepEqual(problems('later: someday'), ['A1: "someday" is no area'])
  assert.deepEqual(problems('[a](requirements.md), later: someday'), ['A1: "someday" is no area'])
  assert.deepEqual(problems('[a](requirements.md), more: later'), [
    'A1: there is more than what shows it in "more: later"',
  ])
  assert.deepEqual(problems('[a](requirements.md), later: models'), [])
  assert.deepEqual(problems('`npm test`'), [])
})

interface Row {
  readonly id: string
  readonly shown: string
}

function rowsOf(text: string): Row[] {
  return [...text.matchAll(/^\| ([A-E]\d+) \| [^|]+ \| ([^|]*) \|$/gm)].map(([, id = '', shown = '']) => ({
    id,
    shown,
  }))
}

function problemsOf({ id, shown }: Row): string[] {
  const links = [...shown.matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target)
  const commands = [...shown.matchAll(/`([^`]+)`/g)].map(([, command = '']) => command)
  const area = /(?:^|, )later: (.+)$/.exec(shown)?.[1]
  const rest = shown
    .replace(/(?:^|, )later: .+$/, '')
    .split(', ')
    .filter((part) => part !== '' && !/^(?:\[[^\]]+\]\([^)]+\)|`[^`]+`)$/.test(part))
  if (links.length + commands.length === 0 && area === undefined) return [`${id} is shown by nothing`]
  return [
    ...(area === undefined || AREAS.includes(area) ? [] : [`${id}: "${area}" is no area`]),
    ...rest.map((part) => `${id}: there is more than what shows it in "${part}"`),
    ...links.filter((target) => !existsSync(join('docs', target))).map((target) => `${id}: there is no ${target}`),
    ...commands
      .filter((command) => !scripts.includes(/^npm (?:run )?([\w:]+)/.exec(command)?.[1] ?? ''))
      .map((command) => `${id}: there is no \`${command}\``),
  ]
}
