// The style guide, as far as a machine can check it, over every file with code in it. That the rules themselves see what
// they should is tested in tidy/rules.test.ts.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { circles } from './tidy/circles.ts'
import { docComments } from './tidy/doc-comments.ts'
import { layers } from './tidy/layers.ts'
import { purity } from './tidy/purity.ts'
import { reachable } from './tidy/reachable.ts'
import { countLines, FILE_LINES_SOFT, fileSize, functionSize } from './tidy/size.ts'
import { type Problem, parseSources, readCode } from './tidy/source.ts'
import { bannedWords, fileNames, testSelection, typeNames } from './tidy/words.ts'

const files = readCode(join(import.meta.dirname, '..'))
const sources = parseSources(files)

describe('the code is tidy', () => {
  test('layers import only layers below them', () => assertNone(layers(sources)))
  test('no file needs one that needs it', () => assertNone(circles(sources)))
  test('pure layers do no I/O, read no clock, draw no random numbers and never wait', () => assertNone(purity(sources)))
  test('no function has more than 60 lines', () => assertNone(functionSize(sources)))
  test('exported declarations have a doc comment', () => assertNone(docComments(sources)))
  test('every source file is part of the program', () => assertNone(reachable(sources)))
  test('file names say what is inside, in kebab-case', () => assertNone(fileNames(files)))
  test('type names say what a thing is', () => assertNone(typeNames(sources)))
  test('nothing is left undone or hidden from the checks', () => assertNone(bannedWords(files)))
  test('every test runs', () => assertNone(testSelection(sources)))

  test('no file has more than 500 lines', (context) => {
    for (const [path, text] of files) {
      const lineCount = countLines(text)
      if (lineCount > FILE_LINES_SOFT) context.diagnostic(`${path} has ${lineCount} lines: does it hold two ideas?`)
    }
    assertNone(fileSize(files))
  })
})

function assertNone(problems: readonly Problem[]): void {
  assert.ok(problems.length === 0, problems.map(({ path, line, message }) => `${path}:${line} ${message}`).join('\n'))
}
