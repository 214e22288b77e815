import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import {
  isCallExpression,
  isExportDeclaration,
  isIdentifier,
  isImportDeclaration,
  isImportExpression,
  isImportTypeNode,
  isLiteralTypeNode,
  isMetaProperty,
  isNamedExports,
  isNamedImports,
  isNewExpression,
  isPropertyAccessExpression,
  isStringLiteralLikeNode,
  type Node,
  type SourceFile,
  SyntaxKind,
} from 'typescript/unstable/ast'
import { API } from 'typescript/unstable/sync'

/** One file of the project, parsed. */
export interface Source {
  /** From the root of the project, with `/`. */
  readonly path: string
  readonly text: string
  readonly tree: SourceFile
  readonly imports: readonly Import[]
}

/** One place where a file names another module: an import or export declaration, `import()`, or a worker's URL. */
export interface Import {
  readonly specifier: string
  /** The file of the project that is meant, or undefined for packages and built-in modules. */
  readonly path: string | undefined
  /** Nothing of it is left when the types are stripped. */
  readonly typesOnly: boolean
  /** Loaded when it is called for: `import()`, or a worker. */
  readonly lazy: boolean
  readonly line: number
}

/** What a rule has to say against a file. */
export interface Problem {
  readonly path: string
  readonly line: number
  readonly message: string
}

/** Looks at all files, because some rules are about how they hang together. */
export type Rule = (sources: readonly Source[]) => Problem[]

const CODE_FOLDERS = ['src', 'web', 'test', 'bench', 'examples', 'scripts', 'bin']
const CODE_FILE = /\.(ts|tsx|js|cjs|mjs|css|html)$/

/** Reads every file with code in it below `root`: path to text. */
export function readCode(root: string): Map<string, string> {
  const files = new Map<string, string>()
  for (const folder of CODE_FOLDERS.filter((name) => existsSync(join(root, name)))) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      const path = posix.relative(root, posix.join(entry.parentPath, entry.name))
      if (!entry.isFile() || !CODE_FILE.test(path) || path.includes('node_modules/')) continue
      files.set(path, readFileSync(join(root, path), 'utf8'))
    }
  }
  return files
}

/** Parses the TypeScript among `files` (path to text) with the compiler itself; nothing is read from the disk. */
export function parseSources(files: ReadonlyMap<string, string>): Source[] {
  const root = '/tidy'
  const paths = [...files.keys()].filter((path) => /\.tsx?$/.test(path)).sort()
  const configuration = {
    compilerOptions: { noLib: true, noResolve: true, types: [], allowImportingTsExtensions: true, jsx: 'preserve' },
    files: paths,
  }
  const texts = new Map(paths.map((path) => [`${root}/${path}`, files.get(path) ?? '']))
  texts.set(`${root}/tsconfig.json`, JSON.stringify(configuration))
  const api = new API({
    fs: {
      readFile: (name) => texts.get(name) ?? null,
      fileExists: (name) => texts.has(name),
      directoryExists: (name) => name === root || [...texts.keys()].some((path) => path.startsWith(`${name}/`)),
      getAccessibleEntries: () => ({ files: [], directories: [] }),
      realpath: (name) => name,
    },
  })
  try {
    const project = api.updateSnapshot({ openProjects: [`${root}/tsconfig.json`] }).getProject(`${root}/tsconfig.json`)
    return paths.map((path) => {
      const tree = project?.program.getSourceFile(`${root}/${path}`)
      if (tree === undefined) throw new Error(`the compiler did not parse ${path}`)
      return { path, text: files.get(path) ?? '', tree, imports: findImports(path, tree) }
    })
  } finally {
    api.close()
  }
}

/** Calls `visit` for `node` and everything below it, parents first. */
export function walk(node: Node, visit: (node: Node) => void): void {
  visit(node)
  node.forEachChild((child) => walk(child, visit))
}

/** The line, counted from 1, on which a node starts. */
export function lineOf(tree: SourceFile, node: Node): number {
  return tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1
}

/** Tests may do what the code under test may not. */
export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path)
}

function findImports(path: string, tree: SourceFile): Import[] {
  const found: Import[] = []
  const add = (node: Node, specifier: Node | undefined, typesOnly: boolean, lazy = false): void => {
    if (specifier === undefined || !isStringLiteralLikeNode(specifier)) return
    const text = specifier.text
    const target = text.startsWith('.') ? posix.join(posix.dirname(path), text) + impliedExtension(path) : undefined
    found.push({ specifier: text, path: target, typesOnly, lazy, line: lineOf(tree, node) })
  }
  walk(tree, (node) => {
    if (isImportDeclaration(node)) add(node, node.moduleSpecifier, importsTypesOnly(node))
    else if (isExportDeclaration(node)) add(node, node.moduleSpecifier, exportsTypesOnly(node))
    else if (isImportTypeNode(node))
      add(node, isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true)
    else if (isCallExpression(node) && isImportExpression(node.expression)) add(node, node.arguments[0], false, true)
    else if (isOwnUrl(node)) add(node, node.arguments?.[0], false, true)
  })
  return found
}

/** AssemblyScript names the files that it imports without their extension. */
function impliedExtension(path: string): string {
  return path.startsWith('src/batch/wasm/') ? '.ts' : ''
}

/** Matches `new URL('./worker.ts', import.meta.url)`, which is how a worker's file is named. */
function isOwnUrl(node: Node): node is Node & { readonly arguments?: readonly Node[] } {
  if (!isNewExpression(node) || !isIdentifier(node.expression) || node.expression.text !== 'URL') return false
  const [specifier, base] = node.arguments ?? []
  if (specifier === undefined || !isStringLiteralLikeNode(specifier) || !/\.[jt]s$/.test(specifier.text)) return false
  return base !== undefined && isPropertyAccessExpression(base) && isMetaProperty(base.expression)
}

function importsTypesOnly(node: Node): boolean {
  if (!isImportDeclaration(node) || node.importClause === undefined) return false
  const { phaseModifier, name, namedBindings } = node.importClause
  if (phaseModifier === SyntaxKind.TypeKeyword) return true
  if (name !== undefined || namedBindings === undefined || !isNamedImports(namedBindings)) return false
  return namedBindings.elements.length > 0 && namedBindings.elements.every((element) => element.isTypeOnly)
}

function exportsTypesOnly(node: Node): boolean {
  if (!isExportDeclaration(node)) return false
  if (node.isTypeOnly) return true
  const clause = node.exportClause
  if (clause === undefined || !isNamedExports(clause)) return false
  return clause.elements.length > 0 && clause.elements.every((element) => element.isTypeOnly)
}
