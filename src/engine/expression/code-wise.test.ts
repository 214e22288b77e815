import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromBatches } from '../../../test/support/every-type-batches.ts'
import { everyType } from '../../../test/support/random-expressions.ts'
import type { Batch } from '../../batch/batch.ts'
import type { Column, DictionaryColumn } from '../../batch/column.ts'
import type { Dictionary } from '../../batch/dictionary.ts'
import { InternedDictionary } from '../../batch/interned-dictionary.ts'
import { col, type Expression, eq, isIn, isNull, or } from '../../plan/expression.ts'
import { concat, length, lower, substr, toNumber, urlPath } from '../../plan/functions.ts'
import { compilePredicate } from '../predicate.ts'
import { compileExpression } from './compile.ts'

const { fields } = everyType
const PAGE = fields.findIndex(({ name }) => name === 'page')
const COUNTRY = fields.findIndex(({ name }) => name === 'country')

/** A dictionary that counts how often a text was asked for. */
class Counting implements Dictionary {
  readonly #inner = new InternedDictionary(1)
  asked = 0

  get size(): number {
    return this.#inner.size
  }

  intern(text: string): number {
    const bytes = new TextEncoder().encode(text)
    return this.#inner.intern(bytes, 0, bytes.length)
  }

  bytes(code: number): Uint8Array {
    this.asked++
    return this.#inner.bytes(code)
  }

  copyTo(code: number, into: Uint8Array, at: number): number {
    this.asked++
    return this.#inner.copyTo(code, into, at)
  }

  text(code: number): string {
    this.asked++
    return this.#inner.text(code)
  }
}

/** A batch of which only one text column is there. */
function batchOf(dictionary: Counting, texts: readonly (string | null)[], index: number): Batch {
  const codes = Int32Array.from(texts, (text) => (text === null ? -1 : dictionary.intern(text)))
  const columns: Column[] = []
  columns[index] = { kind: 'dictionary', codes, dictionary }
  const [empty] = fromBatches([{ t: 0, page: '', price: 0 }], 1, (batch) => [{ ...batch }])
  return { ...(empty as Batch), columns, rowCount: texts.length }
}

test('what depends on one dictionary column asks each value once, however many rows have it', () => {
  const cases: readonly Expression[] = [
    eq(col('page'), '/a'),
    or(isIn(lower(col('page')), ['/a', '/b']), isNull(urlPath(col('page')))),
    eq(length(substr(col('page'), 2)), 1),
  ]
  for (const node of cases) {
    const dictionary = new Counting()
    const predicate = compilePredicate(node, fields)
    const first = batchOf(dictionary, ['/a', '/b', '/a', null, '/a'], PAGE)
    predicate(first)
    const askedOnce = dictionary.asked
    predicate(first)
    assert.equal(dictionary.asked, askedOnce)
    predicate(batchOf(dictionary, ['/a', '/c', '/c', '/b'], PAGE))
    assert.equal(dictionary.asked, askedOnce * 1.5)
  }
})

test('derived texts have one dictionary per source dictionary, which grows along, and one code per text', () => {
  const evaluate = compileExpression(lower(col('page')), fields, 1)
  const [dictionary, other] = [new Counting(), new Counting()]
  const column = (source: Counting, texts: readonly (string | null)[]): DictionaryColumn => {
    const derived = evaluate(batchOf(source, texts, PAGE)) as DictionaryColumn
    return { ...derived, codes: derived.codes.slice(0, texts.length) }
  }
  const first = column(dictionary, ['A', 'a', null, 'B'])
  assert.deepEqual([...first.codes], [0, 0, -1, 1])
  const elsewhere = column(other, ['B'])
  assert.notEqual(elsewhere.dictionary, first.dictionary)
  const second = column(dictionary, ['b', 'c', 'A'])
  assert.equal(second.dictionary, first.dictionary)
  assert.deepEqual([...second.codes], [1, 2, 0])
  assert.equal(second.dictionary.text(2), 'c')
})

test('what is known of the first codes stays when there are many more', () => {
  const dictionary = new Counting()
  const derived = compileExpression(lower(col('page')), fields, 1)
  const lengths = compileExpression(length(col('page')), fields, 1)
  const homes = compilePredicate(eq(col('page'), 'A0'), fields)
  for (let size = 1; size < 3000; size *= 3) {
    const texts = Array.from({ length: size }, (_, index) => `A${index}`)
    const batch = batchOf(dictionary, [...texts, 'A0'], PAGE)
    const column = derived(batch) as DictionaryColumn
    assert.deepEqual(
      texts.map((_, row) => column.dictionary.text(column.codes[row])),
      texts.map((text) => text.toLowerCase()),
    )
    const numbers = lengths(batch)
    assert.ok(numbers.kind === 'number')
    assert.deepEqual(
      [...numbers.values.subarray(0, size)],
      texts.map((text) => text.length),
    )
    assert.deepEqual([...homes(batch).subarray(0, size + 1)], [...texts.map((text) => (text === 'A0' ? 1 : 0)), 1])
  }
})

test('parts that depend on one column each are computed per code inside an expression over several', () => {
  const evaluate = compileExpression(concat(lower(col('page')), lower(col('country'))), fields, 1)
  const [pages, countries] = [new Counting(), new Counting()]
  const both = (rows: number): Batch => {
    const batch = batchOf(
      pages,
      Array.from({ length: rows }, () => '/A'),
      PAGE,
    )
    const country = batchOf(
      countries,
      Array.from({ length: rows }, () => 'DE'),
      COUNTRY,
    )
    const columns = [...batch.columns]
    columns[COUNTRY] = country.columns[COUNTRY] as Column
    return { ...batch, columns }
  }
  const { dictionary, codes } = evaluate(both(100)) as DictionaryColumn
  assert.equal(dictionary.text(codes[99]), '/ade')
  assert.equal(pages.asked + countries.asked, 2)
})

test('a null has a result of its own', () => {
  const dictionary = new Counting()
  const evaluate = compileExpression(isNull(toNumber(col('page'))), fields, 1)
  const column = evaluate(batchOf(dictionary, [null, '1', 'x'], PAGE))
  assert.deepEqual(column.kind === 'boolean' && [...column.values.subarray(0, 3)], [1, 0, 1])
})
