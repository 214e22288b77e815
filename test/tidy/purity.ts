import {
  isAwaitExpression,
  isCallExpression,
  isForOfStatement,
  isFunctionLikeDeclaration,
  isIdentifier,
  isMetaProperty,
  isNewExpression,
  isPropertyAccessExpression,
  isTypeNode,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast'
import { layerOf } from './layers.ts'
import { isTest, lineOf, type Problem, type Source, walk } from './source.ts'

const PURE_LAYERS = ['batch', 'plan', 'engine', 'ml']

/** Packages that compute and nothing else. */
const PURE_PACKAGES = ['apache-arrow', 'zod']

/** Global names through which time, chance, the machine or a later turn of the event loop would come in. */
const IMPURE_NAMES = new Map([
  ['performance', 'reads a clock'],
  ['crypto', 'draws random numbers'],
  ['process', 'depends on the process'],
  ['console', 'writes output'],
  ['fetch', 'uses the network'],
  ['Promise', 'waits'],
  ['setTimeout', 'sets a timer'],
  ['setInterval', 'sets a timer'],
  ['setImmediate', 'sets a timer'],
  ['queueMicrotask', 'waits'],
  ['globalThis', 'reaches for globals'],
])

const IMPURE_MEMBERS = new Map([
  ['Math.random', 'draws a random number'],
  ['Date.now', 'reads the clock'],
])

/**
 * What operators compute depends on their input alone. So the pure layers, and whatever they import from other layers,
 * use no built-in module of Node (all of them that are worth importing are about the machine), no clock, no randomness,
 * no timer, and never wait.
 */
export function purity(sources: readonly Source[]): Problem[] {
  return reachableFromPureLayers(sources).flatMap((source) => [...impureImports(source), ...impureNodes(source)])
}

/** The pure layers import from `base`; what they run there must be as pure as they are. Types do no harm. */
function reachableFromPureLayers(sources: readonly Source[]): Source[] {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const reached = new Set(sources.filter(({ path }) => !isTest(path) && PURE_LAYERS.includes(layerOf(path) ?? '')))
  for (const source of reached) {
    for (const { path, typesOnly } of source.imports) {
      const target = typesOnly || path === undefined ? undefined : byPath.get(path)
      if (target !== undefined) reached.add(target) // The loop comes by here as well: a set iterates over what is added.
    }
  }
  return [...reached]
}

function impureImports({ path, imports }: Source): Problem[] {
  return imports
    .filter((imported) => imported.path === undefined && !imported.typesOnly)
    .filter(({ specifier }) => !PURE_PACKAGES.includes(specifier))
    .map(({ specifier, line }) => ({ path, line, message: `is pure, but imports ${specifier}` }))
}

function impureNodes({ path, tree }: Source): Problem[] {
  const problems: Problem[] = []
  const declared = declaredNames(tree)
  walk(tree, (node) => {
    const reason = impurity(node, declared)
    if (reason !== undefined) problems.push({ path, line: lineOf(tree, node), message: `is pure, but ${reason}` })
  })
  return problems
}

function impurity(node: Node, declared: ReadonlySet<string>): string | undefined {
  if (isAwaitExpression(node)) return 'waits (await)'
  if (isForOfStatement(node) && node.awaitModifier !== undefined) return 'waits (for await)'
  if (isFunctionLikeDeclaration(node) && node.modifiers?.some(({ kind }) => kind === SyntaxKind.AsyncKeyword)) {
    return 'has an async function'
  }
  if (isMetaProperty(node)) return 'asks where its file is (import.meta)'
  if ((isNewExpression(node) || isCallExpression(node)) && isIdentifier(node.expression)) {
    if (node.expression.text === 'Date' && (node.arguments?.length ?? 0) === 0) return 'reads the clock (Date)'
  }
  if (isPropertyAccessExpression(node)) {
    const member = `${isIdentifier(node.expression) ? node.expression.text : ''}.${node.name.text}`
    const reason = IMPURE_MEMBERS.get(member)
    if (reason !== undefined) return `${reason} (${member})`
  }
  if (isIdentifier(node) && !declared.has(node.text) && isUse(node)) {
    const reason = IMPURE_NAMES.get(node.text)
    if (reason !== undefined) return `${reason} (${node.text})`
  }
  return undefined
}

/** A name after a dot, or of a member, is not the global of that name; `{ name }` is. */
function isUse(name: Node): boolean {
  const parent = name.parent
  if (isTypeNode(parent)) return false
  return parent.kind === SyntaxKind.ShorthandPropertyAssignment || !('name' in parent && parent.name === name)
}

/** What the file itself declares or imports under a name shadows the global; scopes are not told apart. */
function declaredNames(tree: Node): Set<string> {
  const names = new Set<string>()
  walk(tree, (node) => {
    if (DECLARATION_KINDS.has(node.kind) && 'name' in node) {
      const name = node.name as Node | undefined
      if (name !== undefined && isIdentifier(name)) names.add(name.text)
    }
  })
  return names
}

const DECLARATION_KINDS = new Set([
  SyntaxKind.VariableDeclaration,
  SyntaxKind.BindingElement,
  SyntaxKind.Parameter,
  SyntaxKind.FunctionDeclaration,
  SyntaxKind.ClassDeclaration,
  SyntaxKind.ImportClause,
  SyntaxKind.ImportSpecifier,
])
