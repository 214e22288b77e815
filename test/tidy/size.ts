import {
  isCallExpression,
  isFunctionLikeDeclaration,
  isIdentifier,
  isPropertyAccessExpression,
  type Node,
} from 'typescript/unstable/ast'
import { isTest, lineOf, type Problem, type Source, walk } from './source.ts'

const FILE_LINES_MAX = 500
/** Above this a file is worth a look, no more. */
export const FILE_LINES_SOFT = 300
const FUNCTION_LINES_MAX = 60

/** The callbacks of these hold tests, and tests are counted one by one. */
const TEST_CALLS = ['describe', 'suite', 'it', 'test']

/** The number of lines of a text, a last one without a line break included. */
export function countLines(text: string): number {
  return text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
}

/** Whatever its language, a file has at most 500 lines. */
export function fileSize(files: ReadonlyMap<string, string>): Problem[] {
  return [...files]
    .map(([path, text]) => ({ path, line: 1, lineCount: countLines(text) }))
    .filter(({ lineCount }) => lineCount > FILE_LINES_MAX)
    .map(({ path, line, lineCount }) => ({ path, line, message: `has ${lineCount} lines, at most ${FILE_LINES_MAX}` }))
}

/** A function has at most 60 lines, those of the functions inside it included. */
export function functionSize(sources: readonly Source[]): Problem[] {
  return sources.flatMap(({ path, tree }) => {
    const problems: Problem[] = []
    walk(tree, (node) => {
      if (!isFunctionLikeDeclaration(node) || node.body === undefined) return
      if (isTest(path) && isTestCallback(node)) return
      const line = lineOf(tree, node)
      const lineCount = tree.getLineAndCharacterOfPosition(node.getEnd()).line + 2 - line
      if (lineCount > FUNCTION_LINES_MAX) {
        problems.push({ path, line, message: `a function has ${lineCount} lines, at most ${FUNCTION_LINES_MAX}` })
      }
    })
    return problems
  })
}

/** Matches the last argument of `describe(...)`, `test.each(...)` and the like. */
function isTestCallback(node: Node): boolean {
  const call = node.parent
  if (!isCallExpression(call)) return false
  const callee = isPropertyAccessExpression(call.expression) ? call.expression.expression : call.expression
  return isIdentifier(callee) && TEST_CALLS.includes(callee.text)
}
