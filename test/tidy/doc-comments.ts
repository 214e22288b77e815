import {
  isClassDeclaration,
  isEnumDeclaration,
  isFunctionDeclaration,
  isInterfaceDeclaration,
  isLiteralExpression,
  isTypeAliasDeclaration,
  isVariableStatement,
  type Node,
  type SourceFile,
  SyntaxKind,
} from 'typescript/unstable/ast'
import { isTest, lineOf, type Problem, type Source } from './source.ts'

/**
 * Everything that a file of `src` exports says in a doc comment what it is. Constants in one block may share theirs, and
 * `MS_PER_SECOND = 1_000` says it all.
 */
export function docComments(sources: readonly Source[]): Problem[] {
  return sources
    .filter(({ path }) => path.startsWith('src/') && !isTest(path))
    .flatMap(({ path, tree }) => {
      const documented = new Set<string>() // Of an overloaded function, the first declaration speaks for all.
      return tree.statements.flatMap((statement, index) => {
        const name = exportedName(statement)
        if (name === undefined || documented.has(name)) return []
        documented.add(name)
        if (hasDocComment(statement) || sharesDocComment(tree, index) || isPlainConstant(statement)) return []
        return [{ path, line: lineOf(tree, statement), message: `exports ${name} without a doc comment` }]
      })
    })
}

function exportedName(statement: Node): string | undefined {
  if (isVariableStatement(statement)) {
    if (!isExported(statement.modifiers)) return undefined
    return statement.declarationList.declarations.map(({ name }) => name.getText()).join(', ')
  }
  const declares =
    isFunctionDeclaration(statement) ||
    isClassDeclaration(statement) ||
    isInterfaceDeclaration(statement) ||
    isTypeAliasDeclaration(statement) ||
    isEnumDeclaration(statement)
  if (!declares || !isExported(statement.modifiers)) return undefined
  return statement.name?.text ?? 'default'
}

function isExported(modifiers: readonly Node[] | undefined): boolean {
  return modifiers?.some(({ kind }) => kind === SyntaxKind.ExportKeyword) ?? false
}

/** A constant that follows another exported one without an empty line or a comment stands under that one's. */
function sharesDocComment(tree: SourceFile, index: number): boolean {
  const statement = tree.statements[index]
  const previous = tree.statements[index - 1]
  if (statement === undefined || previous === undefined || !isVariableStatement(statement)) return false
  if (!isVariableStatement(previous) || exportedName(previous) === undefined) return false
  if (statement.getFullText(tree).slice(0, -statement.getWidth(tree)) !== '\n') return false
  return hasDocComment(previous) || sharesDocComment(tree, index - 1)
}

/** A number or a text that is given a name in capitals. */
function isPlainConstant(statement: Node): boolean {
  if (!isVariableStatement(statement)) return false
  return statement.declarationList.declarations.every(({ name, initializer }) => {
    return /^[A-Z][A-Z0-9_]*$/.test(name.getText()) && initializer !== undefined && isLiteralExpression(initializer)
  })
}

/** At least a few words: `/** *\/` says nothing. */
function hasDocComment(node: Node): boolean {
  return node.jsDoc?.some((comment) => /\w+\s+\w+/.test(comment.getText())) ?? false
}
