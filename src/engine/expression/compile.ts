import { unreachable } from '../../base/assert.ts'
import { encodeText } from '../../base/bytes.ts'
import type { Batch } from '../../batch/batch.ts'
import type { Column } from '../../batch/column.ts'
import { InternedDictionary } from '../../batch/interned-dictionary.ts'
import { type Field, fieldIndex } from '../../batch/schema.ts'
import type { Expression } from '../../plan/expression.ts'
import { expressionType } from '../../plan/expression-type.ts'
import { rowPropertyField, VALUE_KINDS } from '../../plan/value-type.ts'
import { CodeCaches } from './code-wise.ts'
import { ExpressionCompiler } from './compiler.ts'
import { formOf } from './number-form.ts'
import { ints, type TextVector } from './vector.ts'

/** The values of an expression for the rows of a batch, as a column that is valid until the next call. */
export type ColumnFunction = (batch: Batch) => Column

/** Values that a dictionary of derived texts holds before it begins a new generation. */
const DERIVED_TEXTS_MAX = 1 << 20

/** Texts whose code is found without encoding them; more would keep a second copy of many texts that never come again. */
const KNOWN_TEXTS_MAX = 1 << 16

/**
 * Compiles a checked expression over batches with these fields, whose values have `expressionType`. Numbers are doubles or
 * units with NaN for null, conditions are 0, 1 and 255, texts are a dictionary. A text that depends on one dictionary column is
 * derived once per code, into a dictionary that grows along with that one. `hashSeed` is for texts that outsiders can choose.
 */
export function compileExpression(node: Expression, fields: readonly Field[], hashSeed: number): ColumnFunction {
  const passed = passedColumn(node, fields)
  if (passed >= 0) return (batch) => batch.columns[passed] as Column
  const compiler = new ExpressionCompiler(fields)
  const type = expressionType(node, fields)
  switch (VALUE_KINDS[type.type]) {
    case 'number':
    case 'time': {
      const numbers = compiler.numbers(node, formOf(type))
      return (batch) => ({ kind: 'number', values: numbers(batch) })
    }
    case 'boolean': {
      const truths = compiler.truths(node)
      return (batch) => ({ kind: 'boolean', values: truths(batch) })
    }
    case 'text':
    case 'uuid':
    case 'json': {
      const index = compiler.codeColumn(node)
      if (index < 0) return internedTexts(compiler.texts(node), hashSeed)
      return derivedTexts(new ExpressionCompiler(fields, true).texts(node), index, hashSeed)
    }
    default:
      return unreachable(VALUE_KINDS[type.type] as never)
  }
}

/** Place of the column that an expression gives as it is, -1 when it computes something. */
function passedColumn(node: Expression, fields: readonly Field[]): number {
  if (node.kind === 'column') return fieldIndex({ fields }, node.name)
  return node.kind === 'row' ? fieldIndex({ fields }, rowPropertyField(node.property).name) : -1
}

/** Texts row by row, interned: of rows that repeat, the text is kept once. */
function internedTexts(texts: TextVector, hashSeed: number): ColumnFunction {
  let dictionary = new InternedDictionary(hashSeed)
  // Finds a code without encoding the text again.
  let known = new Map<string, number>()
  let codes = new Int32Array(0)
  return (batch) => {
    if (dictionary.full(DERIVED_TEXTS_MAX)) {
      dictionary = new InternedDictionary(hashSeed)
      known = new Map()
    }
    codes = ints(codes, batch.rowCount)
    const values = texts(batch)
    for (let row = 0; row < batch.rowCount; row++) {
      const text = values[row]
      let code = text === null ? -1 : known.get(text)
      if (code === undefined) {
        code = internText(dictionary, text)
        if (known.size < KNOWN_TEXTS_MAX) known.set(text as string, code)
      }
      codes[row] = code
    }
    return { kind: 'dictionary', codes, dictionary }
  }
}

/** Texts by code of a dictionary column: each source dictionary has one of its derived texts. */
function derivedTexts(inner: TextVector, index: number, hashSeed: number): ColumnFunction {
  const caches = new CodeCaches(
    (): DerivedTexts => ({ dictionary: new InternedDictionary(hashSeed), codes: new Int32Array(64) }),
    (derived, from, batch) => {
      const texts = inner(batch)
      let { codes } = derived
      if (codes.length < from + batch.rowCount) {
        codes = ints(codes, from + batch.rowCount)
        codes.set(derived.codes)
      }
      for (let row = 0; row < batch.rowCount; row++) codes[from + row] = internText(derived.dictionary, texts[row])
      return { dictionary: derived.dictionary, codes }
    },
  )
  const byRow = internedTexts(inner, hashSeed)
  let codes = new Int32Array(0)
  return (batch) => {
    const column = batch.columns[index] as Column
    if (column.kind !== 'dictionary') return byRow(batch)
    const derived = caches.of(column.dictionary, index)
    codes = ints(codes, batch.rowCount)
    gatherCodes(derived.codes, column.codes, codes, batch.rowCount)
    return { kind: 'dictionary', codes, dictionary: derived.dictionary }
  }
}

interface DerivedTexts {
  readonly dictionary: InternedDictionary
  /** Derived code of null, then of each source code. */
  readonly codes: Int32Array<ArrayBuffer>
}

function gatherCodes(derived: Int32Array, codes: Int32Array, into: Int32Array, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) into[row] = derived[codes[row] + 1]
}

/** Code of a text, -1 of null. A text that is longer than a dictionary takes is cut. */
function internText(dictionary: InternedDictionary, text: string | null): number {
  if (text === null) return -1
  const bytes = encodeText(text)
  if (bytes.length <= TEXT_BYTES_MAX) return dictionary.intern(bytes, 0, bytes.length)
  // Gives whole characters only.
  const { written } = new TextEncoder().encodeInto(text, bytes.subarray(0, TEXT_BYTES_MAX))
  return dictionary.intern(bytes, 0, written)
}

const TEXT_BYTES_MAX = (1 << 20) - 1
