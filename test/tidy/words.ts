import {
  isCallExpression,
  isClassDeclaration,
  isIdentifier,
  isInterfaceDeclaration,
  isObjectLiteralExpression,
  isPropertyAccessExpression,
  isPropertyAssignment,
  isTypeAliasDeclaration,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast'
import { isTest, lineOf, type Problem, type Source, walk } from './source.ts'

/** Pieced together, so that this file passes its own rule. */
const BANNED_WORDS = new RegExp(
  [
    `\\b(TO${'DO'}|FIX${'ME'}|XX${'X'}|HA${'CK'})\\b`,
    `(ts-ig${'nore'}|ts-no${'check'}|biome-ig${'nore'}|eslint-dis${'able'})`,
  ].join('|'),
)

/** Words that stand for not having found the noun. */
const VAGUE_NOUNS = ['util', 'utils', 'helper', 'helpers', 'manager', 'handler', 'handlers', 'impl', 'misc', 'common']
const VAGUE_TYPE = /(Manager|Helper|Helpers|Utils|Util|Handler|Impl)$/

const FILE_NAME = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config|worker))?\.(d\.)?[a-z]+$/

/** Nothing is left undone, switched off, or hidden from the checks. */
export function bannedWords(files: ReadonlyMap<string, string>): Problem[] {
  return [...files].flatMap(([path, text]) =>
    text.split('\n').flatMap((lineText, index) => {
      const word = BANNED_WORDS.exec(lineText)?.[0]
      return word === undefined ? [] : [{ path, line: index + 1, message: `says ${word}` }]
    }),
  )
}

/** Files are named in kebab-case for the noun inside. */
export function fileNames(files: ReadonlyMap<string, string>): Problem[] {
  return [...files.keys()].flatMap((path) => {
    const name = path.slice(path.lastIndexOf('/') + 1)
    const vague = name.split(/[-.]/).find((word) => VAGUE_NOUNS.includes(word))
    if (vague !== undefined) return [{ path, line: 1, message: `is named ${vague}, which names nothing` }]
    return FILE_NAME.test(name) ? [] : [{ path, line: 1, message: 'is not named in kebab-case' }]
  })
}

/** No type is named for not being anything in particular, and none is `any`. */
export function typeNames(sources: readonly Source[]): Problem[] {
  return sources.flatMap(({ path, tree }) => {
    const problems: Problem[] = []
    walk(tree, (node) => {
      const line = lineOf(tree, node)
      if (node.kind === SyntaxKind.AnyKeyword) problems.push({ path, line, message: 'uses the type any' })
      if (!isClassDeclaration(node) && !isInterfaceDeclaration(node) && !isTypeAliasDeclaration(node)) return
      const name = node.name?.text ?? ''
      if (VAGUE_TYPE.test(name)) problems.push({ path, line, message: `declares ${name}: name the noun` })
    })
    return problems
  })
}

/** Every test runs, always: nothing is singled out, left out or put off. A test may be skipped for a stated reason only. */
export function testSelection(sources: readonly Source[]): Problem[] {
  return sources
    .filter(({ path }) => isTest(path))
    .flatMap(({ path, tree }) => {
      const problems: Problem[] = []
      walk(tree, (node) => {
        const selection = isCallExpression(node) ? selectionOf(node.expression, node.arguments) : undefined
        if (selection !== undefined) problems.push({ path, line: lineOf(tree, node), message: `has ${selection}` })
      })
      return problems
    })
}

const TEST_CALLS = ['describe', 'suite', 'it', 'test']
const SELECTIONS = ['only', 'skip', 'todo']

function selectionOf(callee: Node, args: readonly Node[]): string | undefined {
  if (isPropertyAccessExpression(callee)) {
    const { expression, name } = callee
    const selects = isIdentifier(expression) && TEST_CALLS.includes(expression.text) && SELECTIONS.includes(name.text)
    return selects ? `${callee.getText()}()` : undefined
  }
  if (!isIdentifier(callee) || !TEST_CALLS.includes(callee.text)) return undefined
  for (const options of args.filter(isObjectLiteralExpression)) {
    for (const property of options.properties) {
      if (!isPropertyAssignment(property) || !SELECTIONS.includes(property.name.getText())) continue
      if (property.initializer.kind === SyntaxKind.TrueKeyword) return `a test with ${property.getText()}`
    }
  }
  return undefined
}
